/** What runs wait for people to decide. */
import type { Migration } from './migration.ts';

export const inbox: Migration = {
  number: 39,
  name: 'inbox',
  statements: (_dialect, { integer, text }) => [
    `create table inbox (
      id ${text} primary key, run_id ${text} not null, name ${text} not null, number ${integer} not null,
      title ${text} not null, description ${text}, status ${text} not null, decided_by ${text}, decided_via ${text}, problem ${text},
      created_at ${integer} not null, due_at ${integer}, decided_at ${integer}, schema ${text}, value ${text},
      unique (run_id, name, number)
    )`,
    'create index inbox_by_age on inbox (created_at, id)',
    `create index inbox_open on inbox (created_at, id) where status = 'open'`,
  ],
};
