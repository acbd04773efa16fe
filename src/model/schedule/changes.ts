/** Effects of clock changes on a schedule, for display. */
import { isFixedTime, nextCron } from './cron.ts';
import { dayRule } from './interval.ts';
import type { LocalRule } from './local-rule.ts';
import { recurrenceRule } from './rrule.ts';
import type { Schedule } from './schedule.ts';
import { type ClockChange, changesBetween, localAt } from './zone.ts';

/** A clock change that affects ticks. */
export interface TouchedChange extends ClockChange {
  /** In spring a tick is `moved` or `skipped`; in autumn it occurs `once`, though its time does twice, or `twice`. */
  readonly effect: 'moved' | 'skipped' | 'once' | 'twice';
  /** The first wall-clock time affected, local (see zone.ts). */
  readonly local: number;
}

/** What a clock change did to a tick. */
export type TickMark = 'moved' | 'only' | 'first' | 'second';

const dayMs = 86_400_000;

/**
 * The clock changes that affect the given ticks, oldest first; none for intervals in elapsed time, which ignore clocks.
 *
 * @param from where counting of the ticks began. @param ticks from `nextTicks`. All UTC epoch ms.
 */
export function touchedChanges(schedule: Schedule, from: number, ticks: readonly number[]): TouchedChange[] {
  const rule = wallRule(schedule);
  const last = ticks.at(-1);
  if (rule === null || last === undefined) return [];
  const first = schedule.start === null ? from : Math.max(from, schedule.start);
  return changesBetween(schedule.timezone, first, last + dayMs).flatMap((change) => {
    const { at, offsetBefore, offsetAfter } = change;
    const [begin, end] = [at + Math.min(offsetBefore, offsetAfter), at + Math.max(offsetBefore, offsetAfter)];
    const local = rule.next(begin);
    const isGap = offsetAfter > offsetBefore;
    if (local === null || local >= end || (isGap ? at : local - offsetBefore) > last) return [];
    const effect = isGap ? (movesTo(schedule, rule, change, local) ? 'moved' : 'skipped') : rule.across === 'once' ? 'once' : 'twice';
    return [{ ...change, effect, local } as const];
  });
}

/** How a tick was affected, null if not at all. */
export function markOf(tick: number, schedule: Schedule, changes: readonly TouchedChange[]): TickMark | null {
  const local = localAt(schedule.timezone, tick);
  for (const { at, offsetBefore, offsetAfter, effect } of changes) {
    const [begin, end] = [at + Math.min(offsetBefore, offsetAfter), at + Math.max(offsetBefore, offsetAfter)];
    if (effect === 'once' && local >= begin && local < end && tick < at) return 'only';
    if (effect === 'twice' && local >= begin && local < end) return tick < at ? 'first' : 'second';
    // A tick may fall in its own right where another moved to; then it is not a moved one.
    if (effect === 'moved' && tick >= at && tick < at + offsetAfter - offsetBefore && wallRule(schedule)?.next(local) !== local)
      return 'moved';
  }
  return null;
}

/** Cron moves a time only within its day; others anywhere. */
function movesTo(schedule: Schedule, rule: LocalRule, { at, offsetAfter }: ClockChange, local: number): boolean {
  if (rule.across === 'each') return false;
  return schedule.kind !== 'cron' || Math.floor(local / dayMs) === Math.floor((at + offsetAfter) / dayMs);
}

function wallRule(schedule: Schedule): LocalRule | null {
  const { timezone } = schedule;
  switch (schedule.kind) {
    case 'cron': {
      const { expression } = schedule;
      return { next: (local) => nextCron(expression, 'UTC', local - 1), across: isFixedTime(expression) ? 'once' : 'each' };
    }
    case 'interval':
      return 'ms' in schedule.every ? null : dayRule(schedule.every.days, localAt(timezone, schedule.anchor));
    case 'rrule':
      return recurrenceRule(schedule.rule, timezone);
  }
}
