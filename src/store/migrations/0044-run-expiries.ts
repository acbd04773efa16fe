/** Runs that must begin by an instant. */
import type { Migration } from './migration.ts';

export const runExpiries: Migration = {
  number: 44,
  name: 'run-expiries',
  statements: (_dialect, { integer, text }) => [
    // A separate table: most runs have no such instant, and every change of a run pays for each index of `runs`.
    `create table run_expiries (run_id ${text} primary key, expires_at ${integer} not null)`,
    'create index run_expiries_due on run_expiries (expires_at)',
  ],
};
