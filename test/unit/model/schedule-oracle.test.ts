/**
 * Schedules against an oracle that knows no rule of clock changes: it looks at the wall clock of every minute by Intl.
 *
 * A sample of zones and years by default, every zone in every year with `SCHEDULE_ORACLE=all` (some minutes). A failure prints its seed.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextTicks, parseSchedule, type ScheduleInput } from '../../../src/model/schedule/schedule.ts';
import { changesBetween, offsetAt } from '../../../src/model/schedule/zone.ts';

interface Minute {
  readonly at: number;
  /** What the wall clock shows, as if it stood in UTC. */
  readonly wall: number;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const zones = Intl.supportedValuesOf('timeZone');
const years = Array.from({ length: 21 }, (_, at) => 2015 + at);
const all = process.env['SCHEDULE_ORACLE'] === 'all';

interface Kind {
  readonly name: string;
  readonly expected: (minutes: readonly Minute[], time: number, step: number) => Set<number>;
  /** @param clock `HH:mm`. @param time the same in minutes. */
  readonly input: (clock: string, time: number, step: number) => ScheduleInput;
}

const kinds: readonly Kind[] = [
  { name: 'daily cron', expected: atEndOfGap, input: (_, time) => ({ cron: `${time % 60} ${Math.floor(time / 60)} * * *` }) },
  { name: 'stepping cron', expected: everyMatch, input: (_, _time, step) => ({ cron: `*/${step} * * * *` }) },
  { name: 'interval of a day', expected: beyondGap, input: (clock) => ({ interval: '1 day', anchor: `2014-06-15T${clock}` }) },
  {
    name: 'daily rrule',
    expected: beyondGap,
    input: (clock) => ({ rrule: `DTSTART:20140615T${clock.replace(':', '')}00 RRULE:FREQ=DAILY` }),
  },
  {
    name: 'hourly rrule',
    expected: everyMatch,
    input: (_, _time, step) => ({ rrule: `FREQ=HOURLY;BYMINUTE=${multiples(step).join(',')}` }),
  },
];

/** Every kind of schedule around every clock change of a zone in a year; `shift` is how far the time of day lies from the change, minutes. */
function check(timezone: string, year: number, shift: number, step: number): void {
  for (const middle of changesOf(timezone, year)) {
    const minutes = minutesAround(timezone, middle);
    const before = wallOf(timezone, middle - minuteMs);
    const time = (((Math.floor(before / minuteMs) + 1 + shift) % 1_440) + 1_440) % 1_440;
    const clock = new Date(time * minuteMs).toISOString().slice(11, 16);
    const [from, until] = [middle - 30 * hourMs, middle + 30 * hourMs];
    for (const { name, expected, input } of kinds) {
      const wanted = [...expected(minutes, time, step)].filter((at) => at > from && at < until).sort((a, b) => a - b);
      const found = nextTicks(parseSchedule({ ...input(clock, time, step), timezone, end: show(until) }), from, 10_000);
      expect(found.map(show), `${name} in ${timezone} around ${show(middle)} at ${clock}`).toEqual(wanted.map(show));
    }
  }
}

describe('every kind of schedule', () => {
  it('agrees with the minutes around a sample of clock changes from 2015 to 2035', { timeout: 60_000 }, () => {
    const shift = fc.integer({ min: -90, max: 150 });
    const step = fc.constantFrom(5, 10, 15, 20, 30);
    fc.assert(fc.property(fc.constantFrom(...zones), fc.constantFrom(...years), shift, step, check), { numRuns: 40 });
  });

  it.each(all ? zones : [])('agrees with the minutes around every clock change of %s', { timeout: 120_000 }, (timezone) => {
    for (const year of years) check(timezone, year, ((year * 37) % 240) - 90, 15);
  });
});

/** Each day once: when the clock first shows the time; where it never does, when it first shows a later one of that day. */
function atEndOfGap(minutes: readonly Minute[], time: number): Set<number> {
  return daily(minutes, time, (wanted) => {
    const later = minutes.find(({ wall }) => wall > wanted && wall < Math.floor(wanted / dayMs) * dayMs + dayMs);
    return later?.at;
  });
}

/** Each day once: when the clock first shows the time; where it never does, when it would have, had it gone on as before. */
function beyondGap(minutes: readonly Minute[], time: number): Set<number> {
  return daily(minutes, time, (wanted) => {
    const after = minutes.findIndex(({ wall }) => wall > wanted);
    const before = minutes[after - 1];
    return before === undefined ? undefined : before.at + wanted - before.wall;
  });
}

function daily(minutes: readonly Minute[], time: number, inGap: (wanted: number) => number | undefined): Set<number> {
  const ticks = new Set<number>();
  const [first, last] = [minutes[0]?.wall ?? 0, minutes.at(-1)?.wall ?? 0];
  for (let day = Math.ceil(first / dayMs); day * dayMs + time * minuteMs < last; day++) {
    const wanted = day * dayMs + time * minuteMs;
    const at = minutes.find(({ wall }) => wall === wanted)?.at ?? inGap(wanted);
    if (at !== undefined) ticks.add(at);
  }
  return ticks;
}

/** Whenever the clock shows such a minute. */
function everyMatch(minutes: readonly Minute[], _time: number, step: number): Set<number> {
  return new Set(minutes.filter(({ wall }) => ((wall / minuteMs) % 60) % step === 0).map(({ at }) => at));
}

function multiples(step: number): number[] {
  return Array.from({ length: 60 / step }, (_, at) => at * step);
}

/** Instants of a year at which the clock jumps, to the minute; the middle of the year where it never does. */
function changesOf(timezone: string, year: number): number[] {
  const found: number[] = [];
  const end = Date.UTC(year + 1, 0, 1);
  for (let day = Date.UTC(year, 0, 1); day < end; day += dayMs) {
    if (wallOf(timezone, day) + dayMs === wallOf(timezone, day + dayMs)) continue;
    let at = day;
    while (wallOf(timezone, at) + minuteMs === wallOf(timezone, at + minuteMs)) at += minuteMs;
    found.push(at + minuteMs);
  }
  return found.length > 0 ? found : [Date.UTC(year, 6, 1)];
}

function minutesAround(timezone: string, middle: number): Minute[] {
  return Array.from({ length: 160 * 60 }, (_, at) => middle + (at - 80 * 60) * minuteMs).map((at) => ({ at, wall: wallOf(timezone, at) }));
}

const clocks = new Map<string, Intl.DateTimeFormat>();

function wallOf(timezone: string, at: number): number {
  let clock = clocks.get(timezone);
  if (clock === undefined) {
    clock = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short', timeStyle: 'short' });
    clocks.set(timezone, clock);
  }
  // Swedish writes 2026-03-08 03:00.
  return Date.parse(`${clock.format(at).replace(' ', 'T')}Z`);
}

function show(at: number): string {
  return new Date(at).toISOString();
}

describe('clock changes', () => {
  it('are those of the years far ahead, where they are taken from years of the same days', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(fc.constantFrom(...zones), fc.integer({ min: Date.UTC(2129, 0, 1), max: Date.UTC(2990, 0, 1) }), (timezone, from) => {
        const until = from + 400 * dayMs;
        let offset = offsetAt(timezone, from);
        for (const change of changesBetween(timezone, from, until)) {
          expect([change.offsetBefore, offsetAt(timezone, change.at - 1_000)]).toEqual([offset, offset]);
          offset = offsetAt(timezone, change.at);
          expect(change.offsetAfter).toBe(offset);
        }
        expect(offset).toBe(offsetAt(timezone, until));
      }),
      { numRuns: 400 },
    );
  });
});
