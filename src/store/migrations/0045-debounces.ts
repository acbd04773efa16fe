/** Runs that wait until nobody has called for a while. */
import type { Migration } from './migration.ts';

export const debounces: Migration = {
  number: 45,
  name: 'debounces',
  statements: (_dialect, { integer, text }) => [
    // A row exists while calls are gathered into its run; it is gone once a worker begins that run.
    `create table debounces (
      flow ${text} not null, key ${text} not null, run_id ${text} not null, wait_ms ${integer} not null, calls integer not null,
      due_at ${integer} not null, latest_at ${integer}, primary key (flow, key)
    )`,
    'create index debounces_run on debounces (run_id)',
  ],
};
