/** Task runs that are executed apart from their run: who has them, and what they were given. */
import type { Migration } from './migration.ts';

export const spread: Migration = {
  number: 5,
  name: 'spread',
  statements: (_dialect, { integer, text }) => [
    // A separate table: task runs that stay with their run, which are most, pay nothing for it.
    `create table spread_tasks (
      id ${text} primary key, run_id ${text} not null, key ${text} not null, stage ${text} not null,
      queue ${text} not null, priority integer not null, epoch integer not null, recoveries integer not null,
      owner ${text}, lease_until ${integer}, due_at ${integer}, ticketed_at ${integer}, inputs_ref ${text}, inputs ${text}
    )`,
    'create index spread_tasks_run on spread_tasks (run_id)',
    `create index spread_tasks_held on spread_tasks (lease_until) where stage = 'held'`,
    `create index spread_tasks_waiting on spread_tasks (ticketed_at) where stage = 'waiting'`,
  ],
};
