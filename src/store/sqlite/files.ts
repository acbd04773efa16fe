/**
 * Files next to a SQLite file: disk space reserved for a full disk, so that the end of runs can still be recorded, and the file `-wal`, to
 * which every transaction is written first.
 */
import { existsSync, rmSync, writeFileSync, realpathSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Enough for the end of a run with some thousands of open tasks. */
const reserveBytes = 512 * 1024;

/** Makes the reserve if it is missing; without room there is none. */
export function keepReserve(path: string): void {
  const file = fileOf(path);
  if (path === ':memory:' || existsSync(file)) return;
  try {
    writeFileSync(file, Buffer.alloc(reserveBytes), { mode: 0o600 });
  } catch {
    freeReserve(path);
  }
}

/** Frees the space. */
export function freeReserve(path: string): void {
  rmSync(fileOf(path), { force: true });
}

function fileOf(path: string): string {
  return `${path}-reserve`;
}

/** Calls `onWrite` until the returned function is called; null if the file system cannot notify. Keeps no process alive. */
export function watchWrites(path: string, onWrite: () => void): (() => void) | null {
  if (process.platform !== 'linux' || path === ':memory:') return null;
  try {
    const file = realpathSync(path);
    const log = `${basename(file)}-wal`;
    // The folder, because the file is recreated now and then.
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
