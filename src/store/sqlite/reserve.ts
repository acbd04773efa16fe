/**
 * Disk space kept beside the database for the last words of runs: when the disk is full it is given back, so that their end can be
 * recorded and nothing is left Running.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';

/** Enough for the end of a run with some thousands of open tasks. */
const reserveBytes = 512 * 1024;

/** Makes the reserve where there is none; without room for it there is none. */
export function keepReserve(path: string): void {
  const file = fileOf(path);
  if (path === ':memory:' || existsSync(file)) return;
  try {
    writeFileSync(file, Buffer.alloc(reserveBytes), { mode: 0o600 });
  } catch {
    freeReserve(path);
  }
}

/** Gives the space back. */
export function freeReserve(path: string): void {
  rmSync(fileOf(path), { force: true });
}

function fileOf(path: string): string {
  return `${path}-reserve`;
}
