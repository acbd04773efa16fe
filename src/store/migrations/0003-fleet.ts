/** What a fleet needs: queues and priorities of runs, keys that make submitting idempotent, and the workers. */
import type { Migration } from './migration.ts';

export const fleet: Migration = {
  number: 3,
  name: 'fleet',
  statements: (_dialect, { integer, text }) => [
    `alter table runs add column queue ${text} not null default 'default'`,
    'alter table runs add column priority integer not null default 0',
    `alter table runs add column idempotency_key ${text}`,
    // When a ticket was last put for a waiting run.
    `alter table runs add column ticketed_at ${integer}`,
    'create unique index runs_idempotency on runs (flow, idempotency_key) where idempotency_key is not null',
    // The lists are written out as in the queries of the fleet: otherwise the database does not use these indexes.
    `create index runs_owned on runs (lease_until)
       where owner is not null and state_type in ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING')`,
    `create index runs_waiting on runs ((coalesce(ticketed_at, 0)))
       where owner is null and state_type in ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING')`,
    `create table workers (
      id ${text} primary key, name ${text} not null, version ${text} not null, host ${text} not null, pid integer not null,
      queues ${text} not null, concurrency integer not null, flows ${text} not null, started_at ${integer} not null,
      beat_at ${integer} not null, running integer not null, lag_ms ${integer} not null
    )`,
  ],
};
