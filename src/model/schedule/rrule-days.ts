/**
 * The days of a recurrence rule, a year at a time. Source: RFC 5545, section 3.3.10.
 *
 * Days are counted from 1970-01-01. A year is a table of at most 366 entries, so no search over years runs away.
 */
import { remembered } from '../remembered.ts';
import type { Recurrence } from './rrule-read.ts';

const dayMs = 86_400_000;
const weekdayNames = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];
/** Years beyond this have no ticks. */
export const lastYear = 2999;

/** A day with what the parts of a rule check. */
interface Day {
  readonly day: number;
  readonly date: number;
  readonly monthLength: number;
  /** From 1. */
  readonly dayOfYear: number;
  readonly yearLength: number;
}

/** The days of a year that match the rule, oldest first; BYSETPOS and the times of day are left to the caller. */
export type DaysOfYear = (year: number) => readonly number[];

/** Days of the week, with the position in month or year if given: `2FR` is `{ weekday: 5, nth: 2 }`. */
export function weekdaysOf(list: string): readonly { readonly weekday: number; readonly nth: number | null }[] {
  return list.split(',').map((item) => {
    const nth = item.slice(0, -2);
    return { weekday: weekdayNames.indexOf(item.slice(-2)), nth: nth === '' ? null : Number(nth) };
  });
}

/** Numbers of a part, null if the rule does not have it. */
export function numbersOf(parts: Recurrence['parts'], name: string): readonly number[] | null {
  return parts.get(name)?.split(',').map(Number) ?? null;
}

/** First day of a year. */
export function yearStart(year: number): number {
  return Date.UTC(year, 0, 1) / dayMs;
}

/** Year of a day. */
export function yearOf(day: number): number {
  return new Date(day * dayMs).getUTCFullYear();
}

/** First day of a day's week, by the WKST of the rule. */
export function weekStarter(parts: Recurrence['parts']): (day: number) => number {
  const first = weekdayNames.indexOf(parts.get('WKST') ?? 'MO');
  // 1970-01-01 was a Thursday.
  return (day) => day - ((((day + 4 - first) % 7) + 7) % 7);
}

/** Reads the parts once; caches the last years requested. */
export function dayTable({ start, parts }: Recurrence): DaysOfYear {
  const frequency = parts.get('FREQ') ?? '';
  const interval = Number(parts.get('INTERVAL') ?? 1);
  const first = new Date(start);
  const firstDay = Math.floor(start / dayMs);
  const firstMonth = first.getUTCFullYear() * 12 + first.getUTCMonth();
  const weekStart = weekStarter(parts);
  const months = monthsOf(frequency, parts, first);
  const matches = dayMatcher(frequency, parts, first);
  const onGrid = (distance: number): boolean => distance % interval === 0;
  const firstWeek = weekStart(firstDay);

  const compute = (year: number): readonly number[] => {
    if (frequency === 'YEARLY' && !onGrid(year - first.getUTCFullYear())) return [];
    const days: number[] = [];
    const begin = yearStart(year);
    const yearLength = yearStart(year + 1) - begin;
    for (let month = 0, day = begin; month < 12; month++) {
      const monthLength = Date.UTC(year, month + 1, 1) / dayMs - day;
      const isOn = (months?.has(month + 1) ?? true) && (frequency !== 'MONTHLY' || onGrid(year * 12 + month - firstMonth));
      for (let date = 1; isOn && date <= monthLength; date++) {
        const one = day + date - 1;
        if (frequency === 'DAILY' && !onGrid(one - firstDay)) continue;
        if (frequency === 'WEEKLY' && !onGrid((weekStart(one) - firstWeek) / 7)) continue;
        if (matches({ day: one, date, monthLength, dayOfYear: one - begin + 1, yearLength })) days.push(one);
      }
      day += monthLength;
    }
    return days;
  };
  // Weeks and clock changes reach across year ends.
  return remembered(2, compute);
}

function monthsOf(frequency: string, parts: Recurrence['parts'], first: Date): ReadonlySet<number> | null {
  const asked = numbersOf(parts, 'BYMONTH');
  if (asked !== null) return new Set(asked);
  return frequency === 'YEARLY' && !namesDays(parts) ? new Set([first.getUTCMonth() + 1]) : null;
}

/** If no part says which days, DTSTART does. */
function namesDays(parts: Recurrence['parts']): boolean {
  return ['BYWEEKNO', 'BYYEARDAY', 'BYMONTHDAY', 'BYDAY'].some((name) => parts.has(name));
}

function dayMatcher(frequency: string, parts: Recurrence['parts'], first: Date): (day: Day) => boolean {
  const fromStart = !namesDays(parts);
  const dates = numbersOf(parts, 'BYMONTHDAY') ?? (fromStart && /^(YEAR|MONTH)LY$/.test(frequency) ? [first.getUTCDate()] : null);
  const byday = parts.get('BYDAY');
  const weekdays =
    byday !== undefined ? weekdaysOf(byday) : fromStart && frequency === 'WEEKLY' ? [{ weekday: first.getUTCDay(), nth: null }] : null;
  const daysOfYear = numbersOf(parts, 'BYYEARDAY');
  const weeks = numbersOf(parts, 'BYWEEKNO');
  const weekNumber = weekCounter(parts);
  const inMonth = frequency === 'MONTHLY' || parts.has('BYMONTH');
  const counts = /^(YEAR|MONTH)LY$/.test(frequency);
  const isDate = membership(dates);
  const isDayOfYear = membership(daysOfYear);
  const isWeek = membership(weeks);
  const isAnyOf = new Set(weekdays?.filter(({ nth }) => nth === null || !counts).map(({ weekday }) => weekday));
  const placed = weekdays?.filter(({ weekday, nth }) => nth !== null && !isAnyOf.has(weekday)) ?? [];
  return ({ day, date, monthLength, dayOfYear, yearLength }) => {
    if (isDate !== null && !isDate(date) && !isDate(date - monthLength - 1)) return false;
    if (isDayOfYear !== null && !isDayOfYear(dayOfYear) && !isDayOfYear(dayOfYear - yearLength - 1)) return false;
    if (weekdays !== null) {
      const weekday = (((day + 4) % 7) + 7) % 7;
      const [at, length] = inMonth ? [date, monthLength] : [dayOfYear, yearLength];
      const isPlaced = (nth: number | null): boolean => nth === Math.ceil(at / 7) || nth === -Math.ceil((length - at + 1) / 7);
      if (!isAnyOf.has(weekday) && !placed.some((wanted) => wanted.weekday === weekday && isPlaced(wanted.nth))) return false;
    }
    if (isWeek === null) return true;
    const { week, fromEnd } = weekNumber(day);
    return isWeek(week) || isWeek(fromEnd);
  };
}

function membership(values: readonly number[] | null): ((value: number) => boolean) | null {
  if (values === null) return null;
  const set = new Set(values);
  return (value) => set.has(value);
}

/** Number of a day's week in its year, from 1, and from the end, from -1. Week 1 is the first with four days in the year. */
function weekCounter(parts: Recurrence['parts']): (day: number) => { readonly week: number; readonly fromEnd: number } {
  const weekStart = weekStarter(parts);
  const firstWeek = (year: number): number => weekStart(yearStart(year) + 3);
  return (day) => {
    const begin = weekStart(day);
    const year = yearOf(begin + 3);
    const week = (begin - firstWeek(year)) / 7 + 1;
    return { week, fromEnd: week - (firstWeek(year + 1) - firstWeek(year)) / 7 - 1 };
  };
}
