/** Runs that became Crashed in no worker's hands, whose hooks are still to be called. */
import type { Migration } from './migration.ts';

export const owedHooks: Migration = {
  number: 11,
  name: 'owed hooks',
  statements: (_dialect, { integer, text }) => [
    // A table of its own, mostly empty: the look for them costs nothing, and runs have no column more.
    `create table owed_hooks (
      run_id ${text} primary key, queue ${text} not null, priority integer not null, epoch integer not null,
      owed_at ${integer} not null, ticketed_at ${integer} not null
    )`,
  ],
};
