/**
 * Indexes of the passes of schedulers and workers: each holds what a pass may act on, and nothing that only waits.
 *
 * A million suspended runs, or runs of next year, are in none of them or beyond the stretch that a pass reads. The lists of states are
 * written out as in the queries: otherwise the database does not use these indexes.
 */
import type { Migration } from './migration.ts';

const openList = `'SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING'`;

export const dueRuns: Migration = {
  number: 19,
  name: 'due runs',
  statements: () => [
    'drop index runs_waiting',
    // By the instant from which a ticket counts as lost; see `missedAt` in leases/leases.ts.
    `create index runs_waiting on runs ((case when due_at - 10000 > coalesce(ticketed_at, 0) then due_at - 10000 else coalesce(ticketed_at, 0) end))
       where owner is null and held is null and state_type in ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED') and state_name <> 'AwaitingSlot'
         and not (state_type = 'PAUSED' and due_at is null)`,
    // Not by the lease: its renewal would write to every index of the run on PostgreSQL, and a pass compares the owners of all in here
    // anyway.
    'drop index runs_owned',
    `create index runs_owned on runs (id) where owner is not null and state_type in (${openList})`,
    'drop index runs_not_late',
    `create index runs_not_late on runs (due_at)
       where state_type = 'SCHEDULED' and state_name = 'Scheduled' and due_at is not null and owner is null and held is null`,
    'drop index spread_tasks_waiting',
    `create index spread_tasks_waiting on spread_tasks (
       (case when due_at - 10000 > coalesce(ticketed_at, 0) then due_at - 10000 else coalesce(ticketed_at, 0) end)) where stage = 'waiting'`,
    // The queue of an unowned run is part of it, so that each line is read in order from its head.
    'drop index runs_slot_awaited',
    `create index runs_slot_awaited on runs (concurrency_key, (case when owner is null then queue end), priority desc, slot_since, id)
       where state_name = 'AwaitingSlot'`,
  ],
};
