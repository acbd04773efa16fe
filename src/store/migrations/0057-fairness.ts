/** Runs of keys that take turns. */
import type { Migration } from './migration.ts';

export const fairness: Migration = {
  number: 57,
  name: 'fairness',
  statements: (_dialect, { integer, text }) => [
    // fair_waits: its turn has not come yet; null for all others.
    `alter table runs add column fair_key ${text}`,
    'alter table runs add column fair_waits integer',
    `alter table deployments add column fairness ${text}`,
    // The first run of a key whose instant has passed is first in here, however many of its runs wait.
    `create index runs_fair on runs (queue, priority, fair_key, (coalesce(due_at, created_at)), id)
       where fair_waits is not null and state_type = 'SCHEDULED' and owner is null and held is null and on_trial is null`,
    // One row for each queue and priority; held while deciding whose turn it is. clock: the pass of the key that was served last.
    `create table fair_lines (queue ${text} not null, priority integer not null, clock ${integer} not null, primary key (queue, priority))`,
    // Only keys that may have waiting runs. wakes_at: all of them wait for a later instant.
    `create table fair_keys (
      queue ${text} not null, priority integer not null, key ${text} not null, pass ${integer} not null, wakes_at ${integer},
      primary key (queue, priority, key)
    )`,
    'create index fair_keys_turn on fair_keys (queue, priority, pass, key) where wakes_at is null',
    'create index fair_keys_wakes on fair_keys (queue, priority, wakes_at) where wakes_at is not null',
  ],
};
