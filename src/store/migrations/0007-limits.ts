/** Limits on what is active at the same time, and who holds a slot of them. */
import type { Migration } from './migration.ts';

export const limits: Migration = {
  number: 7,
  name: 'limits',
  statements: (_dialect, { integer, text }) => [
    // Limits on tasks, by the tag they are for. Limits on runs are in the flow or deployment that declares them.
    `create table limits (name ${text} primary key, slots integer not null, updated_at ${integer} not null)`,
    // Held or waited for. A row counts only while its claim holds: the epoch is that of the run, or of the spread task.
    `create table limit_slots (
      name ${text} not null, holder_id ${text} not null, run_id ${text} not null, epoch integer not null, spread integer not null,
      owner_id ${text} not null, task ${text} not null, priority integer not null, waiting_since ${integer} not null, held_since ${integer},
      primary key (name, holder_id)
    )`,
    'create index limit_slots_run on limit_slots (run_id)',
    'create index limit_slots_holder on limit_slots (holder_id)',
    'create index limit_slots_held on limit_slots (name) where held_since is not null',
    'create index limit_slots_waiting on limit_slots (name, priority desc, waiting_since, holder_id) where held_since is null',
    // How many of its runs may be active at the same time: JSON of limit, key (null if computed by a function) and onConflict.
    `alter table flows add column concurrency ${text}`,
    // Name of the limit a run is under, with its key; null for most.
    `alter table runs add column concurrency_key ${text}`,
    // The epoch in which the run took its slot. It holds it while that is its epoch, it has an owner, and it has not ended.
    `alter table runs add column slot_epoch integer`,
    `create index runs_slot_held on runs (concurrency_key)
       where slot_epoch is not null and owner is not null and state_type in ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING')`,
    // Since when it waits for its slot, for the order of turns; null if it does not.
    `alter table runs add column slot_since ${integer}`,
    `create index runs_slot_awaited on runs (concurrency_key, priority desc, slot_since, id) where state_name = 'AwaitingSlot'`,
  ],
};
