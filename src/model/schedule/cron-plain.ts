/**
 * Ticks of a plain cron expression by table, away from clock changes: croner takes some hundred times as long.
 *
 * Plain means numeric days and whole weekdays; L, W and # are left to croner, as is anything within a day of a clock change.
 */
import type { CronPattern } from 'croner';
import { type ClockTimes, clockTimes } from './clock-times.ts';
import { changesBetween, offsetAt } from './zone.ts';

export interface PlainCron {
  readonly times: ClockTimes;
  /** Whether a day, counted from 1970-01-01, matches. */
  hasDay(day: number): boolean;
}

const dayMs = 86_400_000;
/** Days searched; croner handles anything rarer than yearly cheaply. */
const maxDays = 370;
/** A weekday in every week of the month. */
const everyWeek = 0b111111;

/** Null if the expression is not plain. */
export function plainCron(pattern: CronPattern): PlainCron | null {
  const { dayOfWeek, starDOM, starDOW, useAndLogic, nearestWeekdays } = pattern;
  const isPlain =
    pattern.starYear &&
    !pattern.lastDayOfMonth &&
    !pattern.lastWeekday &&
    !nearestWeekdays.some(Boolean) &&
    dayOfWeek.every((weeks) => (weeks & everyWeek) === 0 || (weeks & everyWeek) === everyWeek);
  if (!isPlain) return null;
  const needsBoth = useAndLogic || starDOM;
  return {
    times: clockTimes({ hours: setPlaces(pattern.hour), minutes: setPlaces(pattern.minute), seconds: setPlaces(pattern.second) }),
    hasDay(day) {
      const date = new Date(day * dayMs);
      if (!pattern.month[date.getUTCMonth()]) return false;
      const byDate = Boolean(pattern.day[date.getUTCDate() - 1]);
      if (starDOW) return byDate;
      const byWeekday = Boolean(dayOfWeek[date.getUTCDay()]);
      return needsBoth ? byDate && byWeekday : byDate || byWeekday;
    },
  };
}

/** The first tick after an instant, both UTC epoch ms; undefined if only croner can tell. */
export function nextPlain({ times, hasDay }: PlainCron, timezone: string, instant: number): number | undefined {
  const offset = offsetNear(timezone, instant);
  const local = (Math.floor(instant / 1_000) + 1) * 1_000 + offset;
  const first = Math.floor(local / dayMs);
  for (let day = first; day < first + maxDays; day++) {
    if (!hasDay(day)) continue;
    const second = times.next(day === first ? (local - day * dayMs) / 1_000 : 0);
    if (second === null) continue;
    const found = day * dayMs + second * 1_000 - offset;
    return changesBetween(timezone, instant - dayMs, found + dayMs).length > 0 ? undefined : found;
  }
  return undefined;
}

/** From the last change, or found again: changes are kept, offsets are not. */
function offsetNear(timezone: string, instant: number): number {
  return changesBetween(timezone, instant - 200 * dayMs, instant).at(-1)?.offsetAfter ?? offsetAt(timezone, instant);
}

function setPlaces(flags: readonly number[]): readonly number[] {
  return flags.flatMap((flag, at) => (flag ? [at] : []));
}
