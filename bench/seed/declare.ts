/** Flows, deployments and workers of the invented company, through the store as anybody would. */
import type { Deployment, DeploymentSchedule } from '../../src/model/deployment.ts';
import type { Owner } from '../../src/model/run.ts';
import { nextAfter, parseSchedule } from '../../src/model/schedule/schedule.ts';
import type { Store, StoredFlow } from '../../src/store/store.ts';
import { flows } from './catalogue.ts';
import type { SeedDeployment, SeedFlow } from './catalogue.ts';
import type { Chance } from './chance.ts';

const dayMs = 24 * 3_600_000;

/** Stores flows and deployments; gives the ids of the schedules by the name of their deployment. */
export async function declareCompany(store: Store, chance: Chance, startedAt: number, now: number): Promise<ReadonlyMap<string, string>> {
  const schedules = new Map<string, string>();
  for (const flow of flows) await store.flows.put(storedFlow(flow, startedAt));
  const puts = flows.flatMap((flow) =>
    flow.deployments.map((deployment) => {
      const schedule = scheduleOf(chance, deployment, startedAt, now);
      schedules.set(deployment.name, schedule.id);
      return {
        deployment: deploymentOf(chance, flow, deployment, startedAt),
        schedules: [schedule],
        graph: graphOf(flow),
        spec: { flow: flow.name },
      };
    }),
  );
  await store.deployments.put(puts);
  return schedules;
}

/** Workers that keep what runs; they count as alive for a day, for they will never beat. */
export async function declareWorkers(store: Store, owners: readonly Owner[], startedAt: number): Promise<void> {
  const versions = Object.fromEntries(flows.map(({ name }) => [name, 'seed-1']));
  for (const [place, owner] of owners.entries()) {
    const queues = place === 0 ? ['default', 'etl'] : place === 1 ? ['default', 'crawl'] : ['gpu', 'default'];
    await store.workers.beat({
      id: owner.id,
      name: owner.id.split(':')[0] ?? owner.id,
      version: '0.1.0',
      host: owner.host,
      pid: owner.pid,
      queues,
      concurrency: 16,
      flows: versions,
      startedAt,
      running: 3 + place,
      lagMs: 2 + place,
    });
  }
}

function graphOf({ tasks }: SeedFlow): unknown {
  return {
    nodes: tasks.map(({ name, needs, each }) => ({
      name,
      description: null,
      tags: [],
      needs: each === undefined ? needs : [],
      after: [],
      each: each ?? null,
      eachLimit: null,
      conditional: false,
      trigger: 'allSucceeded',
      retries: 2,
      timeoutMs: null,
      priority: 0,
      isolate: null,
      spread: false,
      queue: null,
      persist: true,
    })),
    edges: tasks.flatMap(({ name, needs, each }) => needs.map((from) => ({ from, to: name, kind: each === undefined ? 'data' : 'each' }))),
    sinks: tasks.filter(({ name }) => !tasks.some(({ needs }) => needs.includes(name))).map(({ name }) => name),
  };
}

function storedFlow(flow: SeedFlow, updatedAt: number): StoredFlow {
  const { name, description, tags } = flow;
  return {
    name,
    version: 'seed-1',
    description,
    tags,
    kind: 'graph',
    graph: graphOf(flow),
    concurrency: null,
    paramsSchema: { type: 'object', properties: { batch: { type: 'integer', minimum: 0 } }, required: ['batch'] },
    source: null,
    updatedAt,
  };
}

function deploymentOf(chance: Chance, flow: SeedFlow, { name, tags, queue }: SeedDeployment, createdAt: number): Deployment {
  return {
    id: chance.id(createdAt),
    name,
    flow: flow.name,
    flowVersion: 'seed-1',
    source: null,
    version: 1,
    description: flow.description,
    params: '{"json":{"batch":1}}',
    tags: [...flow.tags, ...tags],
    queue,
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
  };
}

function scheduleOf(chance: Chance, { name, cron }: SeedDeployment, createdAt: number, now: number): DeploymentSchedule {
  const schedule = parseSchedule({ cron, timezone: 'UTC' });
  return {
    id: chance.id(createdAt),
    deployment: name,
    slug: 'cron',
    schedule,
    params: null,
    jitterMs: 0,
    pausedAt: null,
    nextTickAt: nextAfter(schedule, now),
    createdAt,
  };
}

/** The processes that hold what runs now. */
export function ownersAt(now: number): readonly Owner[] {
  return ['brisk-heron', 'calm-otter', 'keen-falcon'].map((name, place) => ({
    id: `${name}:${4_000 + place}:${now - dayMs}`,
    host: `worker-${place + 1}`,
    pid: 4_000 + place,
    processStartedAt: now - dayMs,
  }));
}
