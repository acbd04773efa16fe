/** Deployments by the thousand, as a deploy stores them, without loading a flow for each. */
import { randomUUID } from 'node:crypto';

/** Deployments of one call. */
const chunk = 5_000;

/**
 * Stores deployments of the flow `first-line` with one schedule each.
 *
 * @param {import('batuta/client').Client} client an embedded one
 * @param {number} count
 * @param {(at: number) => { cron: string, nextTickAt: number }} scheduleOf the expression, and the first tick that no run stands for yet
 * @param {string} [prefix] of their names
 */
export async function putDeployments(client, count, scheduleOf, prefix = 'deployment') {
  const { deployments } = client.engine.services.store;
  for (let from = 0; from < count; from += chunk) {
    const puts = Array.from({ length: Math.min(chunk, count - from) }, (_, at) => putOf(`${prefix}-${from + at}`, scheduleOf(from + at)));
    if (!(await deployments.put(puts))) throw new Error('The deployments were there already.');
  }
}

function putOf(name, { cron, nextTickAt }) {
  const now = Date.now();
  return {
    deployment: {
      id: randomUUID(),
      name,
      flow: 'first-line',
      flowVersion: 'bench',
      source: null,
      version: 1,
      description: null,
      params: '{"json":{}}',
      tags: [],
      queue: 'default',
      priority: 0,
      concurrency: null,
      catchup: 'all',
      catchupWindowMs: 3_600_000,
      overlap: 'allow',
      retentionMs: null,
      runName: null,
      pausedAt: null,
      origin: 'command',
      createdAt: now,
      updatedAt: now,
    },
    schedules: [
      {
        id: randomUUID(),
        deployment: name,
        slug: 'cron',
        schedule: { kind: 'cron', expression: cron, timezone: 'UTC', start: null, end: null },
        params: null,
        jitterMs: 0,
        pausedAt: null,
        nextTickAt,
        createdAt: now,
      },
    ],
    graph: null,
    spec: {},
  };
}
