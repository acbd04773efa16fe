/** Between the rows of deployments, schedules and versions and the data of the model. Pure. */
import type { Deployment, DeploymentSchedule, DeploymentVersion } from '../../model/deployment.ts';
import type { Value } from '../rows.ts';
import type { DeploymentTable, DeploymentVersionTable, ScheduleTable } from '../tables.ts';
import type { DeploymentPut } from './contract.ts';
import { jsonText } from '../storable.ts';
import { readConcurrency, readJson, readSchedule, readTexts } from '../read-json.ts';

/** Columns as `Fragments.list` takes them, in the order of the values below. */
export const deploymentTypes = {
  id: 'text',
  name: 'text',
  flow: 'text',
  flow_version: 'text',
  source: 'text',
  version: 'integer',
  description: 'text',
  tags: 'text',
  queue: 'text',
  priority: 'integer',
  concurrency: 'text',
  catchup: 'text',
  catchup_window_ms: 'integer',
  overlap: 'text',
  retention_ms: 'integer',
  run_name: 'text',
  paused_at: 'integer',
  origin: 'text',
  created_at: 'integer',
  updated_at: 'integer',
  params: 'text',
} as const satisfies Record<keyof DeploymentTable, 'text' | 'integer'>;

export const scheduleTypes = {
  id: 'text',
  deployment: 'text',
  slug: 'text',
  schedule: 'text',
  params: 'text',
  jitter_ms: 'integer',
  paused_at: 'integer',
  next_tick_at: 'integer',
  created_at: 'integer',
  active: 'integer',
  fault: 'text',
} as const satisfies Record<keyof ScheduleTable, 'text' | 'integer'>;

export const versionTypes = {
  deployment: 'text',
  version: 'integer',
  flow_version: 'text',
  at: 'integer',
  graph: 'text',
  spec: 'text',
} as const satisfies Record<keyof DeploymentVersionTable, 'text' | 'integer'>;

export function deploymentValues(row: Deployment): Value[] {
  return [
    row.id,
    row.name,
    row.flow,
    row.flowVersion,
    row.source,
    row.version,
    row.description,
    jsonText(row.tags),
    row.queue,
    row.priority,
    row.concurrency === null ? null : jsonText(row.concurrency),
    row.catchup,
    row.catchupWindowMs,
    row.overlap,
    row.retentionMs,
    row.runName,
    row.pausedAt,
    row.origin,
    row.createdAt,
    row.updatedAt,
    row.params,
  ];
}

/** Whether a schedule is active hangs on its deployment too, so it is set once all rows are there. */
export function scheduleValues(row: DeploymentSchedule): Value[] {
  const { id, deployment, slug, schedule, params, jitterMs, pausedAt, nextTickAt, createdAt } = row;
  return [id, deployment, slug, jsonText(schedule), params, jitterMs, pausedAt, nextTickAt, createdAt, 0, null];
}

export function versionValues({ deployment, graph, spec }: DeploymentPut): Value[] {
  const { name, version, flowVersion, updatedAt } = deployment;
  return [name, version, flowVersion, updatedAt, jsonText(graph), jsonText(spec)];
}

export function deploymentOf(row: DeploymentTable): Deployment {
  return {
    id: row.id,
    name: row.name,
    flow: row.flow,
    flowVersion: row.flow_version,
    source: row.source,
    version: row.version,
    description: row.description,
    params: row.params,
    tags: readTexts(row.tags),
    queue: row.queue,
    priority: row.priority,
    concurrency: row.concurrency === null ? null : readConcurrency(row.concurrency),
    catchup: row.catchup as Deployment['catchup'],
    catchupWindowMs: row.catchup_window_ms,
    overlap: row.overlap as Deployment['overlap'],
    retentionMs: row.retention_ms,
    runName: row.run_name,
    pausedAt: row.paused_at,
    origin: row.origin as Deployment['origin'],
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

export function scheduleOf(row: Omit<ScheduleTable, 'active'>): DeploymentSchedule {
  return {
    id: row.id,
    deployment: row.deployment,
    slug: row.slug,
    schedule: readSchedule(row.schedule),
    params: row.params,
    jitterMs: row.jitter_ms,
    pausedAt: row.paused_at,
    nextTickAt: row.next_tick_at,
    createdAt: row.created_at,
    ...(row.fault === null ? {} : { fault: row.fault }),
  };
}

export function versionOf(row: DeploymentVersionTable): DeploymentVersion {
  return {
    deployment: row.deployment,
    version: row.version,
    flowVersion: row.flow_version,
    at: row.at,
    graph: readJson(row.graph),
    spec: readJson(row.spec),
  };
}
