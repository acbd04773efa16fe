/** Backfills of the local client, over an open store. Code that reads schedules is loaded on first use: most processes never need it. */
import { checkFilter } from '../model/list-filters.ts';
import type { Clock } from '../base/clock.ts';
import { BatutaError } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';
import { programName } from '../base/program-name.ts';
import type { Engine } from '../engine/engine.ts';
import type { Stretch } from '../model/schedule/backfill-ticks.ts';
import type { DeploymentSchedule } from '../model/deployment.ts';
import type { Store, StoredBackfill, Ticketed } from '../store/store.ts';
import type { BackfillsClient, BackfillSpec, BackfillView } from './deployments-client.ts';
import { noDeployment } from './find-deployed.ts';

export interface LocalBackfillsOptions {
  readonly store: Store;
  readonly engine: Engine;
  readonly clock: Clock;
  /** Puts the tickets of runs. Best effort, never rejects. */
  readonly wake: (runs: readonly Ticketed[]) => Promise<void>;
  /** Has schedulers check at once. Best effort, never rejects. */
  readonly tellSchedulers: () => Promise<void>;
}

/** More runs than this are only made on request. */
export const largeBackfill = 10_000;
const mostParallel = 10_000;
const shownTicks = 100;

interface Checked extends Stretch {
  readonly slug: string;
  readonly maxParallel: number;
  readonly order: 'oldest' | 'newest';
}

export function localBackfills({ store, engine, clock, wake, tellSchedulers }: LocalBackfillsOptions): BackfillsClient {
  const storedOf = async (id: string): Promise<StoredBackfill> => {
    const stored = await store.backfills.get(id);
    if (!stored) throw unknown(id);
    return stored;
  };
  const viewsOf = async (stored: readonly StoredBackfill[]): Promise<BackfillView[]> => {
    const counts = await store.backfills.counts(stored.map(({ id }) => id));
    return stored.map(({ rule: _rule, place: _place, made, resumedAt: _resumedAt, ...backfill }) => {
      const { waiting = 0, running = 0, completed = 0, failed = 0, cancelled = 0 } = counts.get(backfill.id) ?? {};
      return { ...backfill, waiting: waiting + Math.max(0, backfill.total - made), running, completed, failed, cancelled };
    });
  };
  const viewOf = async (stored: StoredBackfill): Promise<BackfillView> => {
    const [view] = await viewsOf([stored]);
    if (!view) throw unknown(stored.id);
    return view;
  };
  /** Does what it can at once; schedulers do the rest. */
  const advance = async (backfill: StoredBackfill): Promise<BackfillView> => {
    const { advanceBackfill } = await import('../engine/submit/advance-backfill.ts');
    const wasCancelled = backfill.cancelRequestedAt !== null;
    for (let again = true; again; ) {
      const step = await advanceBackfill(engine.services, await storedOf(backfill.id));
      await wake(step.waiting);
      again = step.again && wasCancelled;
    }
    await tellSchedulers();
    return await viewOf((await store.backfills.get(backfill.id)) ?? backfill);
  };
  return {
    async preview(spec) {
      const { countTicks, firstTicks, lastTicks } = await import('../model/schedule/backfill-ticks.ts');
      const checked = await check(store, clock, spec);
      const count = countTicks(checked, largeBackfill);
      const apartMs = (checked.untilAt - checked.fromAt) / Math.max(1, count.total);
      return { ...count, first: firstTicks(checked, shownTicks), last: lastTicks(checked, shownTicks, apartMs).reverse() };
    },
    async start(spec, { allowLarge = false } = {}) {
      const { countTicks } = await import('../model/schedule/backfill-ticks.ts');
      const checked = await check(store, clock, spec);
      const { total, exact } = countTicks(checked, largeBackfill);
      if (total === 0) throw noTicks(spec.deployment, checked);
      if (total > largeBackfill && !allowLarge) throw tooLarge(spec.deployment, total, exact);
      const { slug, schedule: rule, fromAt, untilAt, order, maxParallel } = checked;
      const backfill: StoredBackfill = {
        id: engine.services.makeId(),
        ...{ deployment: spec.deployment, schedule: slug, rule, fromAt, untilAt, order, maxParallel, total },
        ...{ made: 0, place: order === 'oldest' ? fromAt : untilAt },
        ...{ createdAt: clock.now(), resumedAt: null, cancelRequestedAt: null, endedAt: null },
      };
      await store.backfills.insert(backfill);
      return await advance(backfill);
    },
    async list(filter = {}) {
      checkFilter('backfills', filter);
      const { items, next } = await store.backfills.list(filter);
      return { items: await viewsOf(items), next };
    },
    get: async (id) => await viewOf(await storedOf(id)),
    async cancel(id) {
      const before = await storedOf(id);
      if (!(await store.backfills.requestCancel(before.id, clock.now()))) {
        throw new BatutaError('RUN_STATE_REFUSED', `The backfill ${before.id} has ended already; there is nothing to cancel.`, {
          details: { backfill: before.id },
        });
      }
      return await advance(await storedOf(before.id));
    },
    async resume(id) {
      const before = await storedOf(id);
      if (!(await store.deployments.get(before.deployment))) throw await noDeployment(store, before.deployment);
      await store.backfills.resume(before.id, clock.now());
      return await advance(await storedOf(before.id));
    },
  };
}

async function check(
  store: Store,
  clock: Clock,
  { deployment, schedule, fromAt, untilAt, maxParallel = 1, order = 'oldest' }: BackfillSpec,
): Promise<Checked> {
  const stored = await store.deployments.get(deployment);
  if (!stored) throw await noDeployment(store, deployment);
  for (const [name, value] of Object.entries({ fromAt, untilAt })) {
    if (!Number.isSafeInteger(value)) throw invalid(`${name} of a backfill must be an instant in epoch ms, not ${String(value)}.`);
  }
  if (untilAt <= fromAt) throw invalid(`A backfill goes from an instant to a later one, not from ${iso(fromAt)} to ${iso(untilAt)}.`);
  if (!Number.isInteger(maxParallel) || maxParallel < 1 || maxParallel > mostParallel)
    throw invalid(`A backfill runs from 1 to ${mostParallel.toLocaleString('en')} at a time, not ${String(maxParallel)}.`);
  if (order !== 'oldest' && order !== 'newest') throw invalid(`The order of a backfill is 'oldest' or 'newest', not '${String(order)}'.`);
  const { slug, schedule: rule } = chosenSchedule(deployment, stored.schedules, schedule);
  const now = clock.now();
  if (fromAt >= now) throw invalid(`A backfill covers past ticks; ${iso(fromAt)} is in the future.`);
  return { slug, schedule: rule, fromAt, untilAt: Math.min(untilAt, now), maxParallel, order };
}

function chosenSchedule(deployment: string, schedules: readonly DeploymentSchedule[], slug: string | undefined): DeploymentSchedule {
  const slugs = schedules.map((one) => one.slug);
  const [only] = schedules;
  if (slug === undefined) {
    if (only && schedules.length === 1) return only;
    throw invalid(
      only
        ? `Deployment ${deployment} has ${schedules.length} schedules; name the one to backfill: ${slugs.join(', ')}.`
        : `Deployment ${deployment} has no schedule, and a backfill needs one.`,
    );
  }
  const found = schedules.find((one) => one.slug === slug);
  if (found) return found;
  throw new BatutaError(
    'DEPLOYMENT_NOT_FOUND',
    `Deployment ${deployment} has no schedule '${slug}'.${hintFor(slug, slugs, 'Its schedules are')}`,
    { details: { deployment, schedule: slug } },
  );
}

function noTicks(deployment: string, { slug, schedule, fromAt, untilAt }: Checked): BatutaError {
  const from = schedule.start !== null && schedule.start >= untilAt ? ` It only starts at ${iso(schedule.start)}.` : '';
  return invalid(`Schedule ${slug} of ${deployment} has no tick from ${iso(fromAt)} to ${iso(untilAt)}.${from}`);
}

function tooLarge(deployment: string, total: number, exact: boolean): BatutaError {
  const count = `${exact ? '' : 'about '}${total.toLocaleString('en')}`;
  return new BatutaError(
    'BACKFILL_TOO_LARGE',
    `This backfill of ${deployment} would make ${count} runs, which is more than ${largeBackfill.toLocaleString('en')}. Take a shorter time, or say --yes (allowLarge) if that is what you want.`,
    { details: { deployment, total } },
  );
}

function unknown(id: string): BatutaError {
  return new BatutaError('BACKFILL_NOT_FOUND', `No backfill has the id ${id}. List the newest with: ${programName()} backfill ls`, {
    details: { backfill: id },
  });
}

function invalid(message: string): BatutaError {
  return new BatutaError('OPTION_INVALID', message);
}

function iso(at: number): string {
  return Number.isFinite(at) && Math.abs(at) <= 8.64e15 ? new Date(at).toISOString().replace('.000Z', 'Z') : String(at);
}
