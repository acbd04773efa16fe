/** Turns rules about wall-clock times into instants, across clock changes. */
import { changesBetween, type ClockChange, offsetAt } from './zone.ts';

/** Wall-clock times of a rule, independent of any zone. */
export interface LocalRule {
  /** The first local time at or after `local`, null if there is none. */
  next(local: number): number | null;
  /**
   * Effect of a clock change. `once`: a time in the gap moves forward by its length, a repeated one counts once, the first time. `each`: a
   * time in the gap is skipped, a repeated one counts twice.
   */
  readonly across: 'once' | 'each';
}

/** Longer than any gap or repetition: Samoa skipped a whole day. */
const longestShiftMs = 25 * 3_600_000;
/** After this long without a change, no later one repeats past times. */
const quietMs = 3 * longestShiftMs;

/**
 * First instant after `instant` at which the rule holds in the zone, null if there is none. All in UTC epoch ms.
 *
 * Goes from one period of constant offset to the next. Within one, local and UTC times have the same order, so the rule is asked once.
 */
export function nextInstant(rule: LocalRule, timezone: string, instant: number): number | null {
  for (let from = instant + 1; ; ) {
    const last = changesBetween(timezone, from - longestShiftMs, from).at(-1);
    const offset = last?.offsetAfter ?? offsetAt(timezone, from);
    const found = earliest(ordinary(rule, last, from, offset), last === undefined ? null : moved(rule, last, from));
    const until = found ?? from + longestShiftMs;
    const [change] = changesBetween(timezone, from, Math.min(until, from + quietMs));
    if (change !== undefined) from = change.at;
    else if (until - from <= quietMs) return found;
    // No clock shows a time of the rule before that, so earlier changes need no check.
    else from = Math.max(from + quietMs, until - quietMs);
  }
}

/** A time the clock shows in the period that contains `from`. */
function ordinary(rule: LocalRule, last: ClockChange | undefined, from: number, offset: number): number | null {
  const repeatedUntil = last !== undefined && rule.across === 'once' ? last.at + last.offsetBefore : Number.NEGATIVE_INFINITY;
  const local = rule.next(Math.max(from + offset, repeatedUntil));
  return local === null ? null : local - offset;
}

/** A time in the gap right before the period, which moves into it. */
function moved(rule: LocalRule, { at, offsetBefore, offsetAfter }: ClockChange, from: number): number | null {
  if (offsetAfter <= offsetBefore || rule.across === 'each') return null;
  const local = rule.next(Math.max(from, at) + offsetBefore);
  return local === null || local >= at + offsetAfter ? null : local - offsetBefore;
}

function earliest(one: number | null, other: number | null): number | null {
  return one === null ? other : other === null ? one : Math.min(one, other);
}
