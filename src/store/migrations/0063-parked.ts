/** Runs and spread tasks that no worker claims until one has the version to which they are pinned. */
import type { Migration } from './migration.ts';

const openList = `'SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING'`;
const missedAt = '(case when due_at - 10000 > coalesce(ticketed_at, 0) then due_at - 10000 else coalesce(ticketed_at, 0) end)';

export const parked: Migration = {
  number: 63,
  name: 'parked',
  statements: (_dialect, { text }) => [
    // parked_for: JSON of the version that is missing. parked_by: the run pinned to it, which may be this one, a sub-flow, or that of the task.
    ...['runs', 'spread_tasks'].flatMap((table) => [
      `alter table ${table} add column parked_for ${text}`,
      `alter table ${table} add column parked_by ${text}`,
      `create index ${table}_parked_by on ${table} (parked_by) where parked_by is not null`,
    ]),
    `create index runs_parked on runs (parked_for, queue) where parked_for is not null and state_type in (${openList})`,
    `create index spread_tasks_parked on spread_tasks (parked_for, queue) where parked_for is not null and stage = 'waiting'`,
    // As in migration 19, without what is parked.
    'drop index runs_waiting',
    `create index runs_waiting on runs (${missedAt})
       where owner is null and held is null and parked_for is null and state_type in ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED')
         and state_name <> 'AwaitingSlot' and not (state_type = 'PAUSED' and due_at is null)`,
    'drop index spread_tasks_waiting',
    `create index spread_tasks_waiting on spread_tasks (${missedAt}) where stage = 'waiting' and parked_for is null`,
  ],
};
