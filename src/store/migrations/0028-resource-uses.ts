/** What runs have opened, when, and for how long. */
import type { Migration } from './migration.ts';

export const resourceUses: Migration = {
  number: 28,
  name: 'resource uses',
  statements: (_dialect, { integer, text }) => [
    // A separate table: runs that open nothing pay nothing for it.
    `create table resource_uses (
      run_id ${text} not null, id ${text} not null, task_run_id ${text}, resource ${text} not null, scope ${text} not null,
      began_at ${integer} not null, opened_at ${integer}, closing_at ${integer}, closed_at ${integer}, error ${text},
      primary key (run_id, id)
    )`,
  ],
};
