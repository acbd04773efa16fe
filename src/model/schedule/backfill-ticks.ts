/** The ticks of a past period, from either end, and their number. Pure; no list is longer than requested. */
import { nextAfter, type Schedule } from './schedule.ts';

/** Ticks from one instant to before another. UTC epoch ms. */
export interface Stretch {
  readonly schedule: Schedule;
  readonly fromAt: number;
  readonly untilAt: number;
}

/** How many ticks there are. */
export interface TickCount {
  readonly total: number;
  /** False if there are more than were counted: the rest is estimated from their spacing. */
  readonly exact: boolean;
}

/** The first `count` ticks, oldest first. */
export function firstTicks({ schedule, fromAt, untilAt }: Stretch, count: number): number[] {
  const ticks: number[] = [];
  for (
    let tick = nextAfter(schedule, fromAt - 1);
    tick !== null && tick < untilAt && ticks.length < count;
    tick = nextAfter(schedule, tick)
  )
    ticks.push(tick);
  return ticks;
}

/**
 * The last `count` ticks, newest first. A schedule only knows its next tick, so windows before the end are searched, wider if they hold
 * nothing and narrower if they hold too much.
 *
 * @param apartMs approximate spacing of ticks
 */
export function lastTicks({ schedule, fromAt, untilAt }: Stretch, count: number, apartMs: number): number[] {
  const most = 2 * count;
  const found: number[] = [];
  let end = untilAt;
  for (let width = Math.max(1_000, Math.ceil(apartMs * (count + 1))); found.length < count && end > fromAt; ) {
    const start = Math.max(fromAt, end - width);
    const ticks = firstTicks({ schedule, fromAt: start, untilAt: end }, most);
    if (ticks.length >= most && width > 1_000) {
      width = Math.max(1_000, Math.floor(width / 4));
      continue;
    }
    found.push(...ticks.reverse());
    end = start;
    if (ticks.length < count) width *= 4;
  }
  return found.slice(0, count);
}

/** Counts up to `most` ticks; beyond that, estimates from the spacing of those counted. */
export function countTicks(stretch: Stretch, most: number): TickCount {
  const { schedule, fromAt, untilAt } = stretch;
  let total = 0;
  let first: number | null = null;
  for (let tick = nextAfter(schedule, fromAt - 1); tick !== null && tick < untilAt; tick = nextAfter(schedule, tick)) {
    total += 1;
    first ??= tick;
    if (total > most) {
      const end = schedule.end === null ? untilAt : Math.min(untilAt, schedule.end);
      return { total: Math.max(total, Math.ceil(((total - 1) * (end - first)) / (tick - first))), exact: false };
    }
  }
  return { total, exact: true };
}
