/** Upcoming ticks of all deployments or one. They are not stored: they are computed from the schedules that are due next. */
import { BatutaError } from '../base/errors.ts';
import type { DeploymentSchedule } from '../model/deployment.ts';
import { nextAfter } from '../model/schedule/schedule.ts';
import type { Store } from '../store/store.ts';
import type { UpcomingTick } from './deployments-client.ts';

/** Schedules that are checked; more are only overdue if no scheduler has run for long. */
const maxSchedules = 20_000;
const pageSize = 1_000;

interface Coming {
  readonly schedule: DeploymentSchedule;
  at: number;
}

/**
 * Soonest first, those of one instant by deployment and slug. Overdue ticks are left out: their treatment depends on the policies. With
 * `nextOnly` each schedule yields one, so that a frequent one does not hide the others.
 *
 * @throws BatutaError FILTER_INVALID
 */
export async function upcomingTicks(
  store: Pick<Store, 'deployments'>,
  now: number,
  { deployment, limit = 10, nextOnly = false }: { readonly deployment?: string; readonly limit?: number; readonly nextOnly?: boolean },
): Promise<readonly UpcomingTick[]> {
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000)
    throw new BatutaError('FILTER_INVALID', `The limit ${limit} is not a whole number from 1 to 1000.`);
  const coming = await soonestSchedules(store, now, deployment, limit);
  const ticks: UpcomingTick[] = [];
  while (ticks.length < limit) {
    const first = coming.shift();
    if (!first) break;
    const { schedule, at } = first;
    ticks.push({ deployment: schedule.deployment, schedule: schedule.slug, at });
    const next = nextOnly ? null : nextOrNull(schedule, at);
    if (next !== null) insert(coming, { schedule, at: next }, limit - ticks.length);
  }
  return ticks;
}

/** The `limit` schedules whose next ticks after now come first: no other can have one of the first `limit` ticks. */
async function soonestSchedules(
  { deployments }: Pick<Store, 'deployments'>,
  now: number,
  deployment: string | undefined,
  limit: number,
): Promise<Coming[]> {
  const coming: Coming[] = [];
  let after: DeploymentSchedule | undefined;
  for (let looked = 0; looked < maxSchedules; looked += pageSize) {
    const size = Math.min(pageSize, Math.max(limit, 100));
    const page = await deployments.due({
      limit: size,
      ...(deployment === undefined ? {} : { deployment }),
      ...(after ? { after } : {}),
    });
    for (const schedule of page) {
      const { nextTickAt } = schedule;
      const last = coming[limit - 1];
      // They are ordered by stored tick, and none ticks before its own.
      if (last && nextTickAt !== null && nextTickAt > last.at) return coming;
      const at = nextTickAt !== null && nextTickAt > now ? nextTickAt : nextOrNull(schedule, now);
      if (at !== null) insert(coming, { schedule, at }, limit);
    }
    after = page.at(-1);
    if (page.length < size) break;
  }
  return coming;
}

/** Also null if the rule cannot be computed: the others are shown. */
function nextOrNull({ schedule }: DeploymentSchedule, at: number): number | null {
  try {
    return nextAfter(schedule, at);
  } catch {
    return null;
  }
}

/** Inserts it in order, and drops all after the first `most`. */
function insert(coming: Coming[], one: Coming, most: number): void {
  let low = 0;
  for (let high = coming.length; low < high; ) {
    const middle = (low + high) >> 1;
    const other = coming[middle];
    if (other && comesBefore(other, one)) low = middle + 1;
    else high = middle;
  }
  coming.splice(low, 0, one);
  if (coming.length > Math.max(most, 1)) coming.pop();
}

function comesBefore(a: Coming, b: Coming): boolean {
  if (a.at !== b.at) return a.at < b.at;
  return `${a.schedule.deployment} ${a.schedule.slug}` < `${b.schedule.deployment} ${b.schedule.slug}`;
}
