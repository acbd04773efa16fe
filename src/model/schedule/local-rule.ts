/** Turns a rule about wall-clock times into instants, across clock changes. */
import { changesBetween, type ClockChange, offsetAt } from './zone.ts';

/** Wall-clock times of a rule, before any zone is thought of. */
export interface LocalRule {
  /** The first local time at or after `local`, null when there is none. */
  next(local: number): number | null;
  /**
   * What a clock change does to it. `once`: a time in the gap moves forward by its length, one that comes twice counts once, the first time.
   * `each`: a time in the gap is left out, one that comes twice counts twice.
   */
  readonly across: 'once' | 'each';
}

/** Longer than any gap or repetition: Samoa left out a whole day. */
const longestShiftMs = 25 * 3_600_000;
/** After so long without a change no later one leads back to times passed already. */
const quietMs = 3 * longestShiftMs;

/**
 * First instant after `instant` at which the rule holds in the zone, null when there is none. All in UTC epoch ms.
 *
 * Goes from one stretch of constant offset to the next. Within a stretch local and UTC times keep their order, so the rule is asked once.
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
    // No clock shows a time of the rule before that found, so the changes until then need no look.
    else from = Math.max(from + quietMs, until - quietMs);
  }
}

/** A time that the clock shows in the stretch which holds `from`. */
function ordinary(rule: LocalRule, last: ClockChange | undefined, from: number, offset: number): number | null {
  const repeatedUntil = last !== undefined && rule.across === 'once' ? last.at + last.offsetBefore : Number.NEGATIVE_INFINITY;
  const local = rule.next(Math.max(from + offset, repeatedUntil));
  return local === null ? null : local - offset;
}

/** A time within the gap right before the stretch, which moves into it. */
function moved(rule: LocalRule, { at, offsetBefore, offsetAfter }: ClockChange, from: number): number | null {
  if (offsetAfter <= offsetBefore || rule.across === 'each') return null;
  const local = rule.next(Math.max(from, at) + offsetBefore);
  return local === null || local >= at + offsetAfter ? null : local - offsetBefore;
}

function earliest(one: number | null, other: number | null): number | null {
  return one === null ? other : other === null ? one : Math.min(one, other);
}
