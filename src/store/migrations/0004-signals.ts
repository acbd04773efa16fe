/** Signals: messages to runs from outside. */
import type { Migration } from './migration.ts';

export const signals: Migration = {
  number: 4,
  name: 'signals',
  statements: (_dialect, { integer, text }) => [
    `create table signals (
      run_id ${text} not null, name ${text} not null, number integer not null, sent_at ${integer} not null, data ${text},
      primary key (run_id, name, number)
    )`,
  ],
};
