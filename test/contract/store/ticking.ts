/** Deployments that tick, and what becomes of their ticks; decided about as the scheduler does. */
import { expect } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { makeId } from '../../../src/base/id.ts';
import type { Deployment, DeploymentSchedule } from '../../../src/model/deployment.ts';
import type { Run } from '../../../src/model/run.ts';
import type { Schedule } from '../../../src/model/schedule/schedule.ts';
import { missedAfterMs } from '../../../src/model/schedule/ticks.ts';
import type { Claim, ClaimTicksReport, Store } from '../../../src/store/store.ts';
import { planTicks } from '../../../scheduler/plan-ticks.ts';
import { deploymentNamed, scheduleOf } from '../../support/deployments.ts';
import { leaseMs, ownerNamed } from './rows.ts';

export const hourMs = 3_600_000;
/** Longer than the scheduler's own, so that a busy machine meets the ticks before they come. */
export const lookAheadMs = 60_000;
export const worker = ownerNamed('worker');
export const now = (): number => systemClock.now();

/** Ticks at the instant and every so often before and after it. */
export const ticking = (at: number, everyMs = hourMs): Schedule => ({
  kind: 'interval',
  every: { ms: everyMs },
  anchor: at,
  timezone: 'UTC',
  start: null,
  end: null,
});

/** A deployment with one schedule, hourly unless told, whose first tick that no run stands for is `nextTickAt`; gives the id of the schedule. */
export async function deploy(
  store: Store,
  name: string,
  nextTickAt: number,
  changes: Partial<Deployment> = {},
  scheduleChanges: Partial<DeploymentSchedule> = {},
): Promise<string> {
  const schedule = scheduleOf(name, { schedule: ticking(nextTickAt), nextTickAt, ...scheduleChanges });
  await store.deployments.put([{ deployment: deploymentNamed(name, changes), schedules: [schedule], graph: null, spec: {} }]);
  return schedule.id;
}

/** A pass of the scheduler over at most `limit` schedules, each of which makes at most `maxRuns` runs. */
export async function claimTicks(store: Store, limit = 1_000, maxRuns = 1_000): Promise<ClaimTicksReport> {
  const report = await store.ticks.claim({ limit, lookAheadMs, missedAfterMs }, (due, at, open) =>
    planTicks(due, at, at, open, { makeId, random: () => 0.5, lookAheadMs, maxRuns }),
  );
  if (report.setAside.length > 0) throw new Error(report.setAside[0]?.fault);
  return report;
}

/** Runs of a deployment, by their ticks. */
export async function runsOf(store: Store, deployment: string): Promise<readonly Run[]> {
  const { items } = await store.runs.list({ deployment, limit: 1_000 });
  return items.toSorted((a, b) => (a.scheduledFor ?? 0) - (b.scheduledFor ?? 0) || (a.id < b.id ? -1 : 1));
}

/** The next tick of the only schedule of a deployment. */
export const nextOf = async (store: Store, name: string): Promise<number | null> =>
  (await store.deployments.get(name))?.schedules[0]?.nextTickAt ?? null;

/** Takes a run that may start, as a worker does. */
export async function takeRun(store: Store, id: string): Promise<Claim> {
  const run = (await store.fleet.claimMany([id], worker, leaseMs)).get(id);
  expect(run).toBeDefined();
  return { runId: id, epoch: run?.epoch ?? 0 };
}
