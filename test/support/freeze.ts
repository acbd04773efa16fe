/** Stops a process by SIGSTOP, as a machine that is paused does. */
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'libsql';

const prefix = 'sqlite:';

/**
 * Stops it, but on SQLite not in the middle of a transaction: it would keep the lock of the file for as long as it is stopped, and nobody could
 * take anything over.
 */
export async function freeze(process: ChildProcess, databaseUrl: string): Promise<void> {
  for (;;) {
    process.kill('SIGSTOP');
    // Takes effect a moment later.
    await sleep(20);
    if (!databaseUrl.startsWith(prefix) || !isLocked(databaseUrl.slice(prefix.length))) return;
    process.kill('SIGCONT');
    await sleep(20);
  }
}

/** Others that write are through within this time. */
const patience = 'PRAGMA busy_timeout = 200';

function isLocked(file: string): boolean {
  const database = new Database(file);
  try {
    database.exec(patience);
    database.exec('BEGIN IMMEDIATE');
    database.exec('ROLLBACK');
    return false;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY') return true;
    throw error;
  } finally {
    database.close();
  }
}
