/**
 * Makes a part of `dist` as new as its sources.
 *
 * Builds only when a source or the build itself is newer than the last build. Two test runs at once do not collide: a folder is the
 * lock, and the lock of a process that is gone is taken over.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** A part that is built by itself. */
export interface BuiltPart {
  /** What `scripts/build.js` takes to build it alone. */
  readonly flag: '--js' | '--types' | '--web';
  /** Folders it is made of. */
  readonly sources: readonly string[];
  /** A file that is there once it was built. */
  readonly proof: string;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const cache = join(root, 'node_modules', '.cache');
const lock = join(cache, 'batuta-build.lock');

/** Builds the part when it is older than its sources. @throws Error with what the build printed. */
export async function makeFresh(part: BuiltPart): Promise<void> {
  if (isFresh(part)) return;
  mkdirSync(cache, { recursive: true });
  await takeLock();
  try {
    if (!isFresh(part)) buildNow(part);
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function buildNow(part: BuiltPart): void {
  // The stamp carries the time before the build, so that a file changed while it runs counts as newer.
  const newest = newestSource(part);
  const build = spawnSync(process.execPath, [join(root, 'scripts', 'build.js'), part.flag], { cwd: root, encoding: 'utf8' });
  if (build.status !== 0) throw new Error(`The build that the tests need failed:\n${build.stdout}${build.stderr}`);
  mkdirSync(dirname(stampOf(part)), { recursive: true });
  writeFileSync(stampOf(part), String(newest));
}

function isFresh(part: BuiltPart): boolean {
  try {
    statSync(join(root, part.proof));
    return Number(readFileSync(stampOf(part), 'utf8')) >= newestSource(part);
  } catch {
    return false;
  }
}

function stampOf({ flag }: BuiltPart): string {
  return join(cache, flag === '--js' ? 'batuta-built' : `batuta-built${flag}`);
}

function newestSource({ sources }: BuiltPart): number {
  const files = sources
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return Math.max(...[...files, join(root, 'scripts', 'build.js'), join(root, 'package-lock.json')].map((path) => statSync(path).mtimeMs));
}

async function takeLock(): Promise<void> {
  for (;;) {
    try {
      mkdirSync(lock);
      writeFileSync(join(lock, 'pid'), String(process.pid));
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (isAbandoned()) rmSync(lock, { recursive: true, force: true });
      else await sleep(50);
    }
  }
}

function isAbandoned(): boolean {
  try {
    process.kill(Number(readFileSync(join(lock, 'pid'), 'utf8')), 0);
    return false;
  } catch (error) {
    // Between its folder and its pid file a lock is half made; only an old one of that kind is abandoned.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Date.now() - lockMadeAt() > 5_000;
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function lockMadeAt(): number {
  try {
    return statSync(lock).mtimeMs;
  } catch {
    return Date.now();
  }
}
