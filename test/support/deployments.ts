/** Deployments and schedules to fill a store with, as a deploy would. */
import { makeId } from '../../src/base/id.ts';
import type { Deployment, DeploymentSchedule } from '../../src/model/deployment.ts';
import { parseSchedule } from '../../src/model/schedule/schedule.ts';

const createdAt = Date.UTC(2025, 10, 22, 14);

/** Version 1 of a deployment of the flow `daily-sales`, without limits. */
export function deploymentNamed(name: string, changes: Partial<Deployment> = {}): Deployment {
  return {
    id: makeId(),
    name,
    flow: 'daily-sales',
    flowVersion: 'v1',
    source: '/flows/sales.ts#DailySales',
    version: 1,
    description: null,
    params: '{"json":{"region":"eu"}}',
    tags: ['sales', 'eu'],
    queue: 'default',
    priority: 0,
    concurrency: null,
    catchup: 'latest',
    catchupWindowMs: 3_600_000,
    overlap: 'allow',
    retentionMs: null,
    runName: null,
    pausedAt: null,
    origin: 'command',
    createdAt,
    updatedAt: createdAt,
    ...changes,
  };
}

/** A schedule of a deployment, hourly unless told. */
export function scheduleOf(deployment: string, changes: Partial<DeploymentSchedule> = {}): DeploymentSchedule {
  return {
    id: makeId(),
    deployment,
    slug: 'cron',
    schedule: parseSchedule({ cron: '0 * * * *' }),
    params: null,
    jitterMs: 0,
    pausedAt: null,
    nextTickAt: createdAt,
    createdAt,
    ...changes,
  };
}
