/**
 * Watches folders and reports changes once they have settled.
 *
 * Editors write a file in several steps (a new file, a rename, a delete), so a change is reported only after a quiet period.
 */
import { type FSWatcher, readdirSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Timer } from '../../base/clock.ts';

export interface FileWatchOptions {
  readonly clock: Clock;
  /** Whether a change of this file or folder (absolute path) matters. */
  readonly isOurs: (path: string) => boolean;
  readonly onChange: () => void;
  /** Called once if the system cannot watch more folders. */
  readonly onBlind: (cause: unknown) => void;
}

/** The quiet period, ms. */
const restMs = 80;

export class FileWatch {
  readonly #options: FileWatchOptions;
  readonly #watchers = new Map<string, FSWatcher>();
  #timer: Timer | undefined;
  #blind = false;
  #stopped = false;

  constructor(options: FileWatchOptions) {
    this.#options = options;
  }

  /** Watches exactly these folders, not recursively. Missing ones are left out. */
  watch(folders: ReadonlySet<string>): void {
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#add(folder);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #add(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, (_kind, name) => {
        if (name === null || this.#options.isOurs(join(folder, name))) this.#changed();
      });
      watcher.on('error', () => {
        watcher.close();
        this.#watchers.delete(folder);
        this.#changed();
      });
      this.#watchers.set(folder, watcher);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT' || this.#blind) return;
      this.#blind = true;
      this.#options.onBlind(cause);
    }
  }

  #changed(): void {
    if (this.#stopped) return;
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimer(restMs, this.#options.onChange);
  }
}

/** A folder and all below it, except hidden ones and `node_modules`; empty if it is not a folder. */
export function foldersBelow(folder: string): string[] {
  try {
    const below = readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules')
      .flatMap((entry) => foldersBelow(join(folder, entry.name)));
    return [folder, ...below];
  } catch {
    // It is a file, or was deleted meanwhile.
    return [];
  }
}
