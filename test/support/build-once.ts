/**
 * Makes `dist` as new as `src` before tests that start the command line or a worker thread from it.
 *
 * Builds the JavaScript alone, and only when something in `src` or the build itself is newer than the last build. Two
 * test runs at once do not collide: a folder is the lock, and the lock of a process that is gone is taken over.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cache = join(root, 'node_modules', '.cache');
const stamp = join(cache, 'batuta-built');
const lock = join(cache, 'batuta-build.lock');
const mainFile = join(root, 'dist', 'cli', 'main.js');

/** vitest calls this once for each project that names it. */
export async function setup(): Promise<void> {
  if (isFresh()) return;
  mkdirSync(cache, { recursive: true });
  await takeLock();
  try {
    if (!isFresh()) buildNow();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function buildNow(): void {
  // The stamp carries the time before the build, so that a file changed while it runs counts as newer.
  const newest = newestSource();
  const build = spawnSync(process.execPath, [join(root, 'scripts', 'build.js'), '--js'], { cwd: root, encoding: 'utf8' });
  if (build.status !== 0) throw new Error(`The build that the tests need failed:\n${build.stdout}${build.stderr}`);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, String(newest));
}

function isFresh(): boolean {
  try {
    statSync(mainFile);
    return Number(readFileSync(stamp, 'utf8')) >= newestSource();
  } catch {
    return false;
  }
}

function newestSource(): number {
  const files = ['src', 'worker', 'scheduler']
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
