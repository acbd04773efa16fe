/** What task runs were given: what identifies the item of a mapped task, and the arguments of a call in a code flow, for people. */
import type { Migration } from './migration.ts';

export const given: Migration = {
  number: 17,
  name: 'given',
  // Older rows have neither: their items are matched by position.
  statements: (_dialect, { text }) => [
    `alter table task_runs add column item_hash ${text}`,
    `alter table task_runs add column call_args ${text}`,
  ],
};
