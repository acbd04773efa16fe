/** Groups of errors that somebody has resolved or ignores. */
import type { Migration } from './migration.ts';

export const errorMarks: Migration = {
  number: 50,
  name: 'error-marks',
  statements: (_dialect, { integer, text }) => [
    `create table error_marks (
      flow ${text} not null, key ${text} not null, state ${text} not null, at ${integer} not null, who ${text} not null, primary key (flow, key)
    )`,
  ],
};
