/**
 * The times of a recurrence rule in order: days from a table, times of day by arithmetic.
 *
 * A search covers at most a thousand years, and takes a bounded number of steps within their days.
 */
import { type DaysOfYear, dayTable, lastYear, numbersOf, weekStarter, yearOf } from './rrule-days.ts';
import type { Recurrence } from './rrule-read.ts';
import { countSteps, timesOfDay, type Steps, type TimesOfDay } from './rrule-times.ts';

const dayMs = 86_400_000;

/** The first local time of the RRULE at or after another, null if there is none before the year 3000. */
export type NextOfRule = (local: number) => number | null;

/** @throws BatutaError SCHEDULE_TOO_COSTLY on a query that takes too many steps */
export function expandRule(recurrence: Recurrence): NextOfRule {
  const { start, parts, until } = recurrence;
  const days = dayTable(recurrence);
  const times = timesOfDay(recurrence);
  const search = parts.has('BYSETPOS') ? placesOf(recurrence, days, times) : wholeDays(days, times);
  const endBefore = parts.has('COUNT') ? countedEnd(search, start, Number(parts.get('COUNT'))) : () => until ?? Number.POSITIVE_INFINITY;
  let asked = Number.POSITIVE_INFINITY;
  let found: number | null = null;

  return (local) => {
    const from = Math.max(Math.ceil(local / 1_000) * 1_000, start);
    // Searches for a rare tick repeat, each a little later.
    if (from < asked || (found !== null && from > found)) {
      const steps = countSteps();
      found = search.next(from, steps);
      if (found !== null && found > endBefore(found, steps)) found = null;
      asked = from;
    }
    return found;
  };
}

interface Search {
  next(from: number, steps: Steps): number | null;
  /** Searches a year from `from` on: the `count`-th time in it, or how many remain after that year. */
  nthOfYear(year: number, from: number, count: number, steps: Steps): { readonly found: number } | { readonly left: number };
}

/**
 * The last time of a rule with COUNT, as far as needed to judge one time: infinity while that is before it.
 *
 * Each year is counted once, on first use, so that no query goes back to DTSTART.
 */
function countedEnd(search: Search, start: number, count: number): (time: number, steps: Steps) => number {
  let year = yearOf(Math.floor(start / dayMs)) - 1;
  let left = count;
  let end: number | null = null;
  return (time, steps) => {
    for (const until = yearOf(Math.floor(time / dayMs)); end === null && year <= until; year++) {
      const answer = search.nthOfYear(year, start, left, steps);
      if ('found' in answer) end = answer.found;
      else left = answer.left;
    }
    return end ?? Number.POSITIVE_INFINITY;
  };
}

function wholeDays(days: DaysOfYear, times: TimesOfDay): Search {
  return {
    next(from, steps) {
      const first = Math.floor(from / dayMs);
      for (let year = yearOf(first); year <= lastYear; year++) {
        const ofYear = days(year);
        for (let at = lowerBound(ofYear, first); at < ofYear.length; at++) {
          const day = ofYear[at] ?? first;
          const second = times.firstOf(day, day === first ? (from - first * dayMs) / 1_000 : 0, steps);
          if (second !== null) return day * dayMs + second * 1_000;
        }
      }
      return null;
    },
    nthOfYear(year, from, count, steps) {
      const first = Math.floor(from / dayMs);
      const ofYear = days(year);
      let left = count;
      for (let at = lowerBound(ofYear, first); at < ofYear.length; at++) {
        const day = ofYear[at] ?? first;
        const begin = day === first ? (from - first * dayMs) / 1_000 : 0;
        const whole = begin === 0 ? times.countOf(day, steps) : 0;
        if (begin === 0 && whole < left) left -= whole;
        else
          for (let second = times.firstOf(day, begin, steps); second !== null; second = times.firstOf(day, second + 1, steps)) {
            left -= 1;
            if (left === 0) return { found: day * dayMs + second * 1_000 };
          }
      }
      return { left };
    },
  };
}

/** BYSETPOS: only some positions in a year, month or week. */
function placesOf({ parts }: Recurrence, days: DaysOfYear, times: TimesOfDay): Search {
  const places = numbersOf(parts, 'BYSETPOS') ?? [];
  const periodsOf = periodCutter(parts, days);
  const pickFrom = (period: readonly number[], steps: Steps): number[] => {
    const perDay = times.countOf(0, steps);
    const length = period.length * perDay;
    return places.flatMap((place) => {
      const at = place > 0 ? place - 1 : length + place;
      const day = period[Math.floor(at / perDay)];
      return at < 0 || day === undefined ? [] : [day * dayMs + times.nth(at % perDay) * 1_000];
    });
  };
  let known: { readonly year: number; readonly picked: readonly number[] } | null = null;
  const picksOf = (year: number, steps: Steps): readonly number[] => {
    if (known?.year !== year) {
      const picked = [...new Set(periodsOf(year).flatMap((period) => pickFrom(period, steps)))].sort((a, b) => a - b);
      known = { year, picked };
    }
    return known.picked;
  };
  const nthOfYear: Search['nthOfYear'] = (year, from, count, steps) => {
    const picked = picksOf(year, steps);
    const begin = lowerBound(picked, from);
    const found = picked[begin + count - 1];
    return found === undefined ? { left: count - (picked.length - begin) } : { found };
  };
  return {
    nthOfYear,
    next(from, steps) {
      // The last week of a year may end in the next.
      for (let year = yearOf(Math.floor(from / dayMs)) - 1; year <= lastYear; year++) {
        const answer = nthOfYear(year, from, 1, steps);
        if ('found' in answer) return answer.found;
      }
      return null;
    },
  };
}

/** The days of each year, month or week that begins in a year. */
function periodCutter(parts: Recurrence['parts'], days: DaysOfYear): (year: number) => readonly (readonly number[])[] {
  const frequency = parts.get('FREQ');
  const weekStart = weekStarter(parts);
  if (frequency === 'YEARLY') return (year) => [days(year)];
  if (frequency === 'MONTHLY') return (year) => groupBy(days(year), (day) => new Date(day * dayMs).getUTCMonth());
  return (year) =>
    groupBy([...days(year), ...days(year + 1)], weekStart).filter(([day]) => day !== undefined && yearOf(weekStart(day)) === year);
}

function groupBy(days: readonly number[], keyOf: (day: number) => number): readonly (readonly number[])[] {
  const groups = new Map<number, number[]>();
  for (const day of days) {
    const key = keyOf(day);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [day]);
    else group.push(day);
  }
  return [...groups.values()];
}

/** Index of the first of a sorted list at or after a value. */
export function lowerBound(sorted: readonly number[], value: number): number {
  let low = 0;
  for (let high = sorted.length; low < high; ) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? value) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
