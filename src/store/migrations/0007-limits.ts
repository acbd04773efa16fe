/** Limits on what goes on at the same time, and who holds a slot of them. */
import type { Migration } from './migration.ts';

export const limits: Migration = {
  number: 7,
  name: 'limits',
  statements: (_dialect, { integer, text }) => [
    `create table limits (name ${text} primary key, slots integer not null, updated_at ${integer} not null)`,
    `create table limit_slots (
      name ${text} not null, holder_id ${text} not null, run_id ${text} not null, owner_id ${text},
      waiting_since ${integer} not null, held_since ${integer}, lease_until ${integer}, primary key (name, holder_id)
    )`,
    'create index limit_slots_run on limit_slots (run_id)',
    // Name of the limit a run is under, with its key; null for most.
    `alter table runs add column concurrency_key ${text}`,
    'create index runs_concurrency on runs (concurrency_key) where concurrency_key is not null',
  ],
};
