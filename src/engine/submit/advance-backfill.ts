/**
 * One step of a backfill: makes as many runs, in tick order, as places have become free.
 *
 * Any number of processes may do it at the same time, and any may die at any moment: open runs are counted, and runs are reopened and made,
 * in one transaction that locks the backfill.
 */
import { firstTicks, lastTicks } from '../../model/schedule/backfill-ticks.ts';
import type { PlanRuns, StoredBackfill, Ticketed } from '../../store/store.ts';
import { deploymentRun } from './deployment-run.ts';
import type { EngineServices } from '../services.ts';

/** Maximum runs per step. */
const batchRuns = 500;
const cancelMessage = 'Its backfill was cancelled.';
const deploymentGone = new Error('Its deployment is gone.');

export interface AdvancedBackfill {
  /** Runs that may start; each needs a ticket. */
  readonly waiting: readonly Ticketed[];
  /** Whether more could be done at once. */
  readonly again: boolean;
}

const nothing: AdvancedBackfill = { waiting: [], again: false };

type Services = Pick<EngineServices, 'store' | 'clock' | 'makeId' | 'random' | 'isOwnerGone'>;

/** @throws BatutaError STORE_…, OPTION_INVALID (the flow's function for the key of its limit throws) */
export async function advanceBackfill(services: Services, backfill: StoredBackfill): Promise<AdvancedBackfill> {
  const { store, clock } = services;
  if (backfill.cancelRequestedAt !== null) return await cancelRuns(services, backfill);
  // Takes no lock: most steps find no free place.
  if ((await store.backfills.openCount(backfill.id)) >= backfill.maxParallel) return nothing;
  const makeRuns = await runMaker(services, backfill);
  const hindrances: Error[] = [];
  const step = await store.backfills.step(backfill.id, { at: clock.now(), maxRuns: batchRuns }, (stored, count) => {
    try {
      return makeRuns(stored, count);
    } catch (error) {
      // Reopened runs stay open.
      hindrances.push(error instanceof Error ? error : new Error(String(error)));
      return null;
    }
  });
  const [hindrance] = hindrances;
  if (hindrance !== undefined && hindrance !== deploymentGone) throw hindrance;
  if (hindrance !== undefined) await store.backfills.requestCancel(backfill.id, clock.now());
  return step === null ? nothing : { waiting: step.waiting, again: step.isFull || hindrance !== undefined };
}

/** Runs without an owner end at once, the others when their owners notice. */
async function cancelRuns({ store, clock, isOwnerGone }: Services, backfill: StoredBackfill): Promise<AdvancedBackfill> {
  const open = await store.backfills.openRuns(backfill.id, batchRuns);
  for (const id of open) await store.runs.requestCancel(id, clock.now(), cancelMessage, isOwnerGone);
  if ((await store.backfills.openCount(backfill.id)) === 0) await store.backfills.end(backfill.id, clock.now());
  return { waiting: [], again: open.length > 0 };
}

/** Makes its next runs. @throws deploymentGone when ticks are left and the deployment no longer exists */
async function runMaker(services: Services, { deployment: name, schedule }: StoredBackfill): Promise<PlanRuns> {
  const { store } = services;
  const deployment = await store.deployments.get(name);
  const flowConcurrency = deployment ? ((await store.flows.get(deployment.flow))?.concurrency ?? null) : null;
  const params = deployment?.schedules.find(({ slug }) => slug === schedule)?.params ?? deployment?.params;
  return (stored, count) => {
    const ticks = ticksOf(stored, count);
    const last = ticks.at(-1);
    if (last === undefined) return { runs: [], next: stored.place };
    if (!deployment || params === undefined) throw deploymentGone;
    const runs = ticks.map((tick) =>
      deploymentRun(services, deployment, { params, flowConcurrency, scheduledFor: tick, dueAt: null, backfillId: stored.id }),
    );
    return { runs, next: stored.order === 'oldest' ? last + 1 : last };
  };
}

function ticksOf({ rule, order, place, fromAt, untilAt, total }: StoredBackfill, count: number): number[] {
  if (order === 'oldest') return firstTicks({ schedule: rule, fromAt: place, untilAt }, count);
  return lastTicks({ schedule: rule, fromAt, untilAt: place }, count, (untilAt - fromAt) / Math.max(1, total));
}
