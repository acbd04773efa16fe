/** The ticks of a stretch of the past, from either end, and how many there are. Pure; no list is ever longer than what is asked for. */
import { nextAfter, type Schedule } from './schedule.ts';

/** Ticks from an instant on and before another. UTC epoch ms. */
export interface Stretch {
  readonly schedule: Schedule;
  readonly fromAt: number;
  readonly untilAt: number;
}

/** How many ticks there are. */
export interface TickCount {
  readonly total: number;
  /** False when there are more than were counted: the rest is estimated by how far apart those are. */
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
 * The last `count` ticks, newest first. A schedule only knows what comes next, so growing windows before the end are gone through.
 *
 * @param apartMs about how far ticks are apart.
 */
export function lastTicks({ schedule, fromAt, untilAt }: Stretch, count: number, apartMs: number): number[] {
  for (let width = Math.max(1_000, Math.ceil(apartMs * (count + 1))); ; width *= 4) {
    const start = Math.max(fromAt, untilAt - width);
    const ticks: number[] = [];
    for (let tick = nextAfter(schedule, start - 1); tick !== null && tick < untilAt; tick = nextAfter(schedule, tick)) {
      ticks.push(tick);
      if (ticks.length > 2 * count) ticks.splice(0, ticks.length - count);
    }
    if (ticks.length >= count || start === fromAt) return ticks.slice(-count).reverse();
  }
}

/** Counts up to `most` ticks; of more the number is estimated. */
export function countTicks(stretch: Stretch, most: number): TickCount {
  const { schedule, fromAt, untilAt } = stretch;
  let total = 0;
  let last = fromAt;
  for (let tick = nextAfter(schedule, fromAt - 1); tick !== null && tick < untilAt; tick = nextAfter(schedule, tick)) {
    total += 1;
    last = tick;
    if (total > most) {
      const end = schedule.end === null ? untilAt : Math.min(untilAt, schedule.end);
      const begin = schedule.start === null ? fromAt : Math.max(fromAt, schedule.start);
      return { total: Math.max(total, Math.round((total * (end - begin)) / Math.max(1, last - begin))), exact: false };
    }
  }
  return { total, exact: true };
}
