/** Values of tasks that later runs reuse, and who is making one. */
import type { Migration } from './migration.ts';

export const cache: Migration = {
  number: 23,
  name: 'cache',
  statements: (_dialect, { integer, text }) => [
    // Wide columns come last. The value is apart from the claim: while it is made again, others still find the previous one.
    `create table cache_entries (
      id ${text} primary key, flow ${text} not null, task ${text} not null, version ${text} not null, scope_run_id ${text},
      epoch integer not null, owner ${text}, lease_until ${integer}, claim_run_id ${text}, claim_task_run_id ${text},
      run_id ${text}, task_run_id ${text}, made_at ${integer}, expires_at ${integer}, bytes ${integer},
      hits integer not null, misses integer not null, waits integer not null, used_at ${integer} not null,
      shown ${text} not null, result_ref ${text}, result ${text}
    )`,
    'create index cache_entries_flow on cache_entries (flow, task, used_at, id)',
    'create index cache_entries_used on cache_entries (used_at, id)',
    'create index cache_entries_expiry on cache_entries (expires_at) where expires_at is not null',
    'create index cache_entries_scope on cache_entries (scope_run_id) where scope_run_id is not null',
    `alter table task_runs add column cached_from ${text}`,
  ],
};
