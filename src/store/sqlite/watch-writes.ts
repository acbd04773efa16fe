/**
 * Tells that somebody has written to a SQLite file, by the file system: every transaction is written to the file `-wal` first.
 *
 * Linux alone tells of each write at once and whoever made it; elsewhere there is nothing to rely on. The telling comes a moment before
 * the transaction can be read.
 */
import { realpathSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Calls `onWrite` until the function given back is called; null where the file system cannot tell. Keeps no process alive. */
export function watchWrites(path: string, onWrite: () => void): (() => void) | null {
  if (process.platform !== 'linux' || path === ':memory:') return null;
  try {
    const file = realpathSync(path);
    const log = `${basename(file)}-wal`;
    // The folder, for the file is made anew now and then.
    const watcher = watch(dirname(file), { persistent: false }, (_kind, name) => {
      if (name === log) onWrite();
    });
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    // The system has no watches left, or the file is gone.
    return null;
  }
}
