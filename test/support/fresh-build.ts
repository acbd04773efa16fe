/**
 * Makes a part of `dist` as new as its sources.
 *
 * Builds only when a source or the build itself is newer than the last build. Two test runs at once do not collide: a folder is the
 * lock, and the lock of a process that is gone is taken over.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type BuiltPart, isFresh } from '../../scripts/built-parts.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cache = join(root, 'node_modules', '.cache');
const lock = join(cache, 'batuta-build.lock');

/** Builds parts of `dist` that are older than their sources; the notices are made with all the rest. @throws Error with what the build printed. */
export async function makeFresh(...parts: readonly BuiltPart[]): Promise<void> {
  if (parts.every(isFresh)) return;
  mkdirSync(cache, { recursive: true });
  await takeLock();
  try {
    const old = parts.filter((part) => !isFresh(part));
    if (old.includes('--notices')) buildNow();
    else for (const part of old) buildNow(part);
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function buildNow(...flags: readonly BuiltPart[]): void {
  const build = spawnSync(process.execPath, [join(root, 'scripts', 'build.js'), ...flags], { cwd: root, encoding: 'utf8' });
  if (build.status !== 0) throw new Error(`The build that the tests need failed:\n${build.stdout}${build.stderr}`);
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
