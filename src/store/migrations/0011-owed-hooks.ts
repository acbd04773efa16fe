/** Runs that became Crashed while no worker held them, whose hooks are still to be called. */
import type { Migration } from './migration.ts';

export const owedHooks: Migration = {
  number: 11,
  name: 'owed hooks',
  statements: (_dialect, { integer, text }) => [
    // A separate table, mostly empty: querying it costs nothing, and runs have no extra column.
    `create table owed_hooks (
      run_id ${text} primary key, queue ${text} not null, priority integer not null, epoch integer not null,
      owed_at ${integer} not null, ticketed_at ${integer} not null
    )`,
  ],
};
