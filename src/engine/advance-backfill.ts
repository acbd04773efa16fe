/**
 * One step of a backfill: makes as many runs, in the order of their ticks, as places have become free.
 *
 * Any number of processes may do it at the same time, and any may die at any moment: which ticks come next follows from the place that is
 * stored, a tick has one run however often it is made, and the place is moved on after the runs are there.
 */
import { firstTicks, lastTicks } from '../model/backfill-ticks.ts';
import type { StoredBackfill, TicketedRun } from '../store/store.ts';
import { deploymentRun } from './deployment-run.ts';
import type { EngineServices } from './services.ts';

/** Most runs of one step. */
const batchRuns = 500;
const cancelMessage = 'Its backfill was cancelled.';

export interface BackfillStep {
  /** Runs that may start; each wants a ticket. */
  readonly waiting: readonly TicketedRun[];
  /** Whether more could be done at once. */
  readonly again: boolean;
}

const nothing: BackfillStep = { waiting: [], again: false };

type Services = Pick<EngineServices, 'store' | 'clock' | 'makeId' | 'random' | 'isOwnerGone'>;

/** @throws BatutaError STORE_…, OPTION_INVALID (a function of the flow that names its limit throws) */
export async function advanceBackfill(services: Services, backfill: StoredBackfill): Promise<BackfillStep> {
  const { store } = services;
  const open = await store.backfills.openCount(backfill.id);
  if (backfill.cancelRequestedAt !== null) return await cancelRuns(services, backfill, open);
  const free = Math.min(batchRuns, backfill.maxParallel - open);
  if (free <= 0) return nothing;
  const reopened = await reopenFailed(services, backfill, free);
  if (reopened.length >= free) return { waiting: reopened, again: free === batchRuns };
  const made = await makeRuns(services, backfill, free - reopened.length);
  if (made === null) return { waiting: reopened, again: true };
  if (made.ticks === 0 && reopened.length + open === 0) await store.backfills.end(backfill.id, services.clock.now());
  return { waiting: [...reopened, ...made.waiting], again: made.ticks === batchRuns };
}

/** Those that nobody runs end at once, the others when their owners see it. */
async function cancelRuns({ store, clock, isOwnerGone }: Services, backfill: StoredBackfill, openRuns: number): Promise<BackfillStep> {
  const open = await store.backfills.openRuns(backfill.id, batchRuns);
  for (const id of open) await store.runs.requestCancel(id, clock.now(), cancelMessage, isOwnerGone);
  if (openRuns === 0) await store.backfills.end(backfill.id, clock.now());
  return { waiting: [], again: open.length > 0 };
}

/** After a resume: what had not completed by then, each once. */
async function reopenFailed({ store, clock }: Services, { id, order, resumedAt }: StoredBackfill, limit: number): Promise<TicketedRun[]> {
  if (resumedAt === null) return [];
  const reopened: TicketedRun[] = [];
  for (const runId of await store.backfills.failedRuns(id, resumedAt, { order, limit })) {
    const run = await store.runs.reopen(runId, clock.now());
    if (run) reopened.push(run);
  }
  return reopened;
}

/** Null when its deployment is gone: then it is cancelled. */
async function makeRuns(
  services: Services,
  backfill: StoredBackfill,
  count: number,
): Promise<{ readonly ticks: number; readonly waiting: readonly TicketedRun[] } | null> {
  const { store, clock } = services;
  const ticks = ticksOf(backfill, count);
  const last = ticks.at(-1);
  if (last === undefined) return { ticks: 0, waiting: [] };
  const deployment = await store.deployments.get(backfill.deployment);
  if (!deployment) {
    await store.backfills.requestCancel(backfill.id, clock.now());
    return null;
  }
  const flowConcurrency = (await store.flows.get(deployment.flow))?.concurrency ?? null;
  const params = deployment.schedules.find(({ slug }) => slug === backfill.schedule)?.params ?? deployment.params;
  const runs = ticks.map((tick) =>
    deploymentRun(services, deployment, { params, flowConcurrency, scheduledFor: tick, dueAt: null, backfillId: backfill.id }),
  );
  const placed = await store.fleet.insertMany(runs.map((run) => ({ run, idempotencyKey: null })));
  const next = backfill.order === 'oldest' ? last + 1 : last;
  await store.backfills.advance(backfill.id, { place: backfill.place, next, made: ticks.length });
  const waiting = runs
    .filter((_, at) => placed[at]?.inserted === true)
    .map(({ id, queue = 'default', priority = 0 }) => ({ id, epoch: 0, queue, priority, dueAt: null }));
  return { ticks: ticks.length, waiting };
}

function ticksOf({ rule, order, place, fromAt, untilAt, total }: StoredBackfill, count: number): number[] {
  if (order === 'oldest') return firstTicks({ schedule: rule, fromAt: place, untilAt }, count);
  return lastTicks({ schedule: rule, fromAt, untilAt: place }, count, (untilAt - fromAt) / Math.max(1, total));
}
