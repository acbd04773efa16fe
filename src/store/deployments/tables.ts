/** The tables of deployments, schedules and versions. */
import type { Deployment, DeploymentVersion } from '../../model/deployment.ts';
import { readConcurrency, readJson, readRate, readSchedule, readTexts } from '../read-json.ts';
import {
  type RowOf,
  describeTable,
  integer,
  integerOrNull,
  json,
  jsonOrNull,
  optional,
  otherwise,
  text,
  textOrNull,
  time,
  timeOrNull,
  word,
} from '../table.ts';

export const deploymentTable = describeTable('deployments', {
  id: text,
  name: text,
  flow: text,
  flow_version: text,
  source: textOrNull,
  version: integer,
  description: textOrNull,
  tags: json(readTexts),
  queue: text,
  priority: integer,
  concurrency: jsonOrNull((value) => (value === null ? null : readConcurrency(value))),
  rate_limit: optional(jsonOrNull((value) => (value === null ? null : readRate(value)))),
  slots: optional(integerOrNull),
  fairness: optional(textOrNull),
  catchup: word<Deployment['catchup']>(),
  catchup_window_ms: integer,
  overlap: word<Deployment['overlap']>(),
  retention_ms: integerOrNull,
  run_name: textOrNull,
  paused_at: timeOrNull,
  origin: word<Deployment['origin']>(),
  created_at: time,
  updated_at: time,
  params: text,
});
export type DeploymentRow = RowOf<typeof deploymentTable>;
export const deploymentOf: (row: DeploymentRow) => Deployment = deploymentTable.read;

/** A schedule by itself. `fault`: why it was set aside. */
export const scheduleTable = describeTable('schedules', {
  id: text,
  deployment: text,
  slug: text,
  schedule: json(readSchedule),
  params: textOrNull,
  jitter_ms: integer,
  paused_at: timeOrNull,
  next_tick_at: timeOrNull,
  created_at: time,
  fault: optional(textOrNull),
});
export type ScheduleRow = RowOf<typeof scheduleTable>;

/** With `active`, which depends on its deployment too: 1 if neither is paused, and set once all rows exist. */
export const newScheduleTable = describeTable('schedules', { ...scheduleTable.described, active: otherwise(0, integer) });

export const versionTable = describeTable('deployment_versions', {
  deployment: text,
  version: integer,
  flow_version: text,
  at: time,
  graph: json(readJson<unknown>),
  spec: json(readJson<unknown>),
});
export type VersionRow = RowOf<typeof versionTable>;
export const versionOf: (row: VersionRow) => DeploymentVersion = versionTable.read;
