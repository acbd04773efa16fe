/** Runs and spread tasks that may have killed the processes that executed them, and what was seen of those processes. */
import type { Migration } from './migration.ts';

export const suspects: Migration = {
  number: 16,
  name: 'suspects',
  statements: (_dialect, { integer, text }) => [
    // Separate tables, mostly empty: a claim that reads them pays next to nothing, and runs have no extra column.
    `create table suspects (
      id ${text} primary key, run_id ${text} not null, shared integer not null, alone integer not null, on_trial integer not null,
      last_owner ${text} not null
    )`,
    'create index suspects_run on suspects (run_id)',
    'create index suspects_owner on suspects (last_owner)',
    `create table lost_owners (owner ${text} primary key, held integer not null, tasks integer not null, at ${integer} not null, culprit ${text}, seen ${text})`,
  ],
};
