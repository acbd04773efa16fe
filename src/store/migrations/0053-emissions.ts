/** Values that runs emit while they run. */
import type { Migration } from './migration.ts';

export const emissions: Migration = {
  number: 53,
  name: 'emissions',
  statements: (_dialect, { integer, text }) => [
    // One row per emitting run: its lock numbers the values of all who emit for the run, without gaps.
    `create table emission_counts (run_id ${text} not null primary key, newest ${integer} not null, bytes ${integer} not null)`,
    `create table emissions (
      run_id ${text} not null, seq ${integer} not null, stream ${text} not null, id ${text}, task_run_id ${text}, attempt ${integer} not null,
      at ${integer} not null, value ${text}, ref ${text}, primary key (run_id, seq)
    )`,
    'create unique index emissions_stream on emissions (run_id, stream, seq)',
    // Only what may be sent again.
    'create unique index emissions_id on emissions (run_id, id) where id is not null',
  ],
};
