/** Limits on how many runs and tasks begin in a window of time. */
import type { Migration } from './migration.ts';

export const rates: Migration = {
  number: 47,
  name: 'rates',
  statements: (_dialect, { integer, text }) => [
    // Rates of tasks, by the tag they are for. Rates of runs are in the flow or deployment that declares them.
    `create table rates (name ${text} primary key, starts integer not null, per_ms ${integer} not null, key ${text}, updated_at ${integer} not null)`,
    // JSON of limit, perMs and key.
    `alter table flows add column rate_limit ${text}`,
    `alter table deployments add column rate_limit ${text}`,
    // One for each key in use; its row is held while deciding about it. used: how many rows of rate_starts it has.
    `create table rate_windows (
      name ${text} primary key, base ${text} not null, used integer not null, starts integer not null, per_ms ${integer} not null,
      touched_at ${integer} not null
    )`,
    // What began, or may yet begin, until it no longer counts. at: it began no later than this; likely_at: when it probably did.
    `create table rate_starts (
      name ${text} not null, id ${text} not null, at ${integer} not null, likely_at ${integer} not null, primary key (name, id)
    )`,
    'create index rate_starts_at on rate_starts (name, at)',
    'create index rate_starts_id on rate_starts (id)',
    // Runs (task is null) and tasks that wait, and when each is to ask again.
    `create table rate_waits (
      name ${text} not null, id ${text} not null, run_id ${text} not null, task ${text}, priority integer not null,
      since_at ${integer} not null, next_at ${integer} not null, primary key (name, id)
    )`,
    'create index rate_waits_line on rate_waits (name, priority desc, since_at, id)',
    'create index rate_waits_next on rate_waits (name, next_at)',
    'create index rate_waits_run on rate_waits (run_id)',
    'create index rate_waits_id on rate_waits (id)',
  ],
};
