/**
 * Which ticks of a schedule become runs now, which are dropped, and which comes next. Pure: schedulers with the same input agree.
 *
 * The work does not grow with the length of an outage: dropped ticks are not visited one by one.
 */
import { formatDuration } from '../../base/duration.ts';
import type { Catchup } from '../deployment.ts';
import { nextAfter, type Schedule } from './schedule.ts';

/** When a tick without a run counts as missed, ms after it. */
export const missedAfterMs = 2_000;
/** Limit for counting dropped ticks. */
const maxCounted = 1_000;

/** Query about one schedule. Instants are UTC epoch ms. */
export interface TickQuestion {
  readonly schedule: Schedule;
  /** The first tick without a run. */
  readonly nextTickAt: number;
  readonly catchup: Catchup;
  readonly catchupWindowMs: number;
  /** Instant as of which ticks count as missed. */
  readonly asOf: number;
  /** Ticks up to this instant become runs. */
  readonly until: number;
  /** Most ticks in an answer, from 1. */
  readonly limit: number;
}

/** Ticks without runs, summed up. */
export interface DroppedTicks {
  readonly firstAt: number;
  readonly lastAt: number;
  /** One sentence for people: how many, from when to when, and by which policy. */
  readonly message: string;
}

export interface TickAnswer {
  /** Oldest first. */
  readonly ticks: readonly { readonly at: number; readonly missed: boolean }[];
  readonly dropped: DroppedTicks | null;
  /** The first tick after these; null once the schedule has ended. */
  readonly nextTickAt: number | null;
}

/** Applies the catch-up policy to missed ticks, and returns those due. */
export function ticksDue(question: TickQuestion): TickAnswer {
  const { schedule, nextTickAt, asOf, until, limit } = question;
  const missedBefore = asOf - missedAfterMs;
  const keptFrom = nextTickAt < missedBefore ? keepFrom(question, missedBefore) : nextTickAt;
  const ticks: { at: number; missed: boolean }[] = [];
  let next: number | null = keptFrom <= nextTickAt ? nextTickAt : nextAfter(schedule, keptFrom - 1);
  for (; next !== null && next <= until && ticks.length < limit; next = nextAfter(schedule, next)) {
    ticks.push({ at: next, missed: next < missedBefore });
  }
  return { ticks, dropped: nextTickAt < keptFrom ? droppedBefore(question, keptFrom) : null, nextTickAt: next };
}

/** How much later than its tick a run starts, ms: from 0 to `jitterMs`, fixed for a schedule and tick. */
export function jitterOf(scheduleId: string, tick: number, jitterMs: number): number {
  if (jitterMs <= 0) return 0;
  // FNV-1a, then a final mix, as neighbouring ticks differ in few digits.
  let hash = 0x811c9dc5;
  for (const char of `${scheduleId}:${tick}`) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return Math.floor((((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32) * (jitterMs + 1));
}

/** The instant from which ticks are kept, if some were missed. */
function keepFrom({ schedule, nextTickAt, catchup, catchupWindowMs, asOf }: TickQuestion, missedBefore: number): number {
  const windowFrom = Math.min(asOf - catchupWindowMs, missedBefore);
  if (catchup === 'none') return missedBefore;
  if (catchup === 'all') return Math.max(windowFrom, nextTickAt);
  const newest = lastBefore(schedule, nextTickAt, missedBefore);
  return newest >= windowFrom ? newest : missedBefore;
}

function droppedBefore({ schedule, nextTickAt, catchup, catchupWindowMs }: TickQuestion, keptFrom: number): DroppedTicks {
  const lastAt = lastBefore(schedule, nextTickAt, keptFrom);
  const many = countOf(schedule, nextTickAt, lastAt);
  const which =
    nextTickAt === lastAt ? `The tick of ${instant(lastAt)} was` : `${many} ticks from ${instant(nextTickAt)} to ${instant(lastAt)} were`;
  const why = {
    none: `catchup 'none' makes up none`,
    latest: `catchup 'latest' makes up the newest alone, for ${formatDuration(catchupWindowMs)}`,
    all: `catchup 'all' makes up those of the last ${formatDuration(catchupWindowMs)}`,
  }[catchup];
  return { firstAt: nextTickAt, lastAt, message: `${which} missed while no scheduler was running; ${why}.` };
}

/** The newest tick before `before`, given one before it. By bisection: some 40 queries, however many ticks are in between. */
function lastBefore(schedule: Schedule, known: number, before: number): number {
  let last = known;
  // There may be more after `last`, but none after `high`.
  for (let low = known, high = before - 1; high > low; ) {
    const middle = low + Math.floor((high - low) / 2);
    const tick = nextAfter(schedule, middle);
    if (tick === null || tick >= before) high = middle;
    else low = last = tick;
  }
  return last;
}

function countOf(schedule: Schedule, first: number, last: number): string {
  let count = 1;
  for (let tick = nextAfter(schedule, first); tick !== null && tick <= last; tick = nextAfter(schedule, tick)) {
    if (++count > maxCounted) return `More than ${maxCounted.toLocaleString('en')}`;
  }
  return String(count);
}

function instant(at: number): string {
  return new Date(at).toISOString();
}
