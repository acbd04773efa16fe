/** Where large results are stored, their sizes and hashes, and the pieces of results in the database. */
import type { Migration } from './migration.ts';

export const results: Migration = {
  number: 27,
  name: 'results',
  statements: (dialect, { text }) => [
    // For older rows: a folder, and a value whose size and hash are unknown.
    `alter table results add column place ${text}`,
    `alter table results add column sha256 ${text}`,
    `create table result_chunks (
      run_id ${text} not null, name ${text} not null, part integer not null, data ${dialect === 'sqlite' ? 'blob' : 'bytea'} not null,
      primary key (run_id, name, part)
    )`,
    // What a move has left, until it is cleared: a process may die in between.
    `create table moved_results (key ${text} primary key)`,
  ],
};
