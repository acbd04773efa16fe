/** Deployments, their schedules and versions, backfills; and what a run knows of the tick it stands for. */
import type { Migration } from './migration.ts';

export const deployments: Migration = {
  number: 6,
  name: 'deployments',
  statements: (_dialect, { integer, text }) => [
    `create table deployments (
      id ${text} primary key, name ${text} not null unique, flow ${text} not null, flow_version ${text} not null, source ${text},
      version integer not null, description ${text}, tags ${text} not null, queue ${text} not null, priority integer not null,
      concurrency ${text}, catchup ${text} not null, catchup_window_ms ${integer} not null, overlap ${text} not null,
      retention_ms ${integer}, run_name ${text}, paused_at ${integer}, origin ${text} not null,
      created_at ${integer} not null, updated_at ${integer} not null, params ${text} not null
    )`,
    'create index deployments_flow on deployments (flow)',
    `create table schedules (
      id ${text} primary key, deployment ${text} not null, slug ${text} not null, schedule ${text} not null, params ${text},
      jitter_ms ${integer} not null, paused_at ${integer}, next_tick_at ${integer}, created_at ${integer} not null,
      active integer not null, unique (deployment, slug)
    )`,
    // Active: neither it nor its deployment is paused. The cost of a scheduler pass depends on what is due in here.
    'create index schedules_due on schedules (next_tick_at) where active = 1',
    `create table deployment_versions (
      deployment ${text} not null, version integer not null, flow_version ${text} not null, at ${integer} not null,
      graph ${text}, spec ${text} not null, primary key (deployment, version)
    )`,
    `create table backfills (
      id ${text} primary key, deployment ${text} not null, schedule ${text} not null, rule ${text} not null, from_at ${integer} not null,
      until_at ${integer} not null, run_order ${text} not null, max_parallel integer not null, total ${integer} not null,
      made ${integer} not null, place ${integer} not null, created_at ${integer} not null, resumed_at ${integer},
      cancel_requested_at ${integer}, ended_at ${integer}
    )`,
    'create index backfills_deployment on backfills (deployment, created_at)',
    'create index backfills_open on backfills (created_at) where ended_at is null',
    // The schedule or backfill whose tick a run stands for: unique together with the tick, so any number of schedulers make one run.
    `alter table runs add column schedule_id ${text}`,
    `alter table runs add column backfill_id ${text}`,
    'create unique index runs_tick on runs (schedule_id, scheduled_for) where schedule_id is not null',
    'create unique index runs_backfill_tick on runs (backfill_id, scheduled_for) where backfill_id is not null',
    'create index runs_backfill_state on runs (backfill_id, state_type) where backfill_id is not null',
    // 1 while a run waits for runs of earlier ticks to end, and is unowned until then; else null.
    'alter table runs add column held integer',
    'create index runs_held on runs (deployment, scheduled_for, id) where held = 1',
    // The lists are written out as in the queries: otherwise the database does not use these indexes.
    `create index runs_open_ticks on runs (deployment, scheduled_for, id)
       where schedule_id is not null and state_type in ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING')`,
    `create index runs_not_late on runs (due_at) where state_type = 'SCHEDULED' and state_name = 'Scheduled' and due_at is not null`,
  ],
};
