/** How far the sources of streams have got. */
import type { Migration } from './migration.ts';

export const streamPositions: Migration = {
  number: 31,
  name: 'stream positions',
  statements: (_dialect, { integer, text }) => [
    // A separate table: tasks that stream nothing pay nothing for it.
    `create table stream_positions (
      run_id ${text} not null, task ${text} not null, position ${text} not null, at ${integer} not null, primary key (run_id, task)
    )`,
  ],
};
