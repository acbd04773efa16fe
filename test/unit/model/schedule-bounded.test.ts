/** Schedules whose ticks used to be left out, invented, or searched for ever. */
import { describe, expect, it } from 'vitest';
import { countTicks, lastTicks } from '../../../src/model/schedule/backfill-ticks.ts';
import { nextAfter, nextTicks, parseSchedule, type ScheduleInput } from '../../../src/model/schedule/schedule.ts';

const ticks = (input: ScheduleInput, from: string, count: number): string[] =>
  nextTicks(parseSchedule(input), Date.parse(from), count).map((tick) => new Date(tick).toISOString().replace(':00.000Z', ''));

describe('an rrule faster than daily', () => {
  it.each<[string, string, string[]]>([
    [
      'FREQ=MINUTELY;INTERVAL=30;BYDAY=MO;BYHOUR=9',
      '2026-01-01',
      ['2026-01-05T09:00', '2026-01-05T09:30', '2026-01-12T09:00', '2026-01-12T09:30'],
    ],
    ['FREQ=MINUTELY;BYMONTHDAY=1;BYHOUR=9', '2026-11-29', ['2026-12-01T09:00', '2026-12-01T09:01']],
    [
      'DTSTART:20260116T000000Z RRULE:FREQ=MINUTELY;INTERVAL=25;BYHOUR=0,23',
      '2026-06-22T20:59:00Z',
      ['2026-06-22T23:15', '2026-06-22T23:40', '2026-06-23T00:05', '2026-06-23T00:30'],
    ],
    ['FREQ=MINUTELY;INTERVAL=30;BYHOUR=6;BYMONTHDAY=15', '2026-11-29', ['2026-12-15T06:00', '2026-12-15T06:30', '2027-01-15T06:00']],
    [
      'DTSTART:20260110T000000Z RRULE:FREQ=MINUTELY;BYMONTHDAY=1;BYHOUR=9',
      '2026-08-11T19:16:00Z',
      ['2026-09-01T09:00', '2026-09-01T09:01'],
    ],
    ['DTSTART:20260112T000000Z RRULE:FREQ=MINUTELY;BYDAY=WE,TH,SU;BYHOUR=5,20', '2026-01-14T05:59Z', ['2026-01-14T20:00']],
    ['FREQ=MINUTELY;INTERVAL=1441;BYMONTH=1;BYMONTHDAY=1', '2026-11-29', ['2027-01-01T14:10', '2028-01-01T20:15']],
    ['FREQ=SECONDLY;INTERVAL=99991;BYMONTH=1;BYMONTHDAY=1;BYHOUR=0;BYMINUTE=0;BYSECOND=0', '2026-11-29', []],
  ])('%s ticks where it says', (rrule, from, expected) => {
    expect(ticks({ rrule }, from, Math.max(1, expected.length))).toEqual(expected);
  });

  it('keeps to the wall clock of its zone: what spring leaves out is left out, what autumn repeats comes twice', () => {
    const input = { rrule: 'FREQ=MINUTELY;INTERVAL=30;BYHOUR=1,2;BYDAY=SU', timezone: 'America/New_York' };
    expect(ticks(input, '2026-03-08T00:00Z', 4)).toEqual(['2026-03-08T06:00', '2026-03-08T06:30', '2026-03-15T05:00', '2026-03-15T05:30']);
    expect(ticks(input, '2026-11-01T00:00Z', 6)).toEqual([
      '2026-11-01T05:00',
      '2026-11-01T05:30',
      '2026-11-01T06:00',
      '2026-11-01T06:30',
      '2026-11-01T07:00',
      '2026-11-01T07:30',
    ]);
  });

  it('finds a tick that is centuries away, in a zone with clock changes too', () => {
    const input = { rrule: 'FREQ=SECONDLY;INTERVAL=7;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO;BYHOUR=3;BYSECOND=1', timezone: 'America/New_York' };
    expect(ticks(input, '2100-01-01T00:00Z', 1)).toEqual(['2112-02-29T08:00:01.000Z']);
  });
});

describe('a rule that never comes, or whose ticks take too long to find,', () => {
  it.each<[string, string]>([
    ['FREQ=DAILY;BYMONTH=1;BYYEARDAY=100', 'SCHEDULE_INVALID'],
    ['FREQ=SECONDLY;INTERVAL=2;BYSECOND=1', 'SCHEDULE_INVALID'],
    ['FREQ=HOURLY;INTERVAL=168;BYDAY=TU', 'SCHEDULE_INVALID'],
    ['FREQ=WEEKLY;BYDAY=MO;BYMONTH=2;BYMONTHDAY=30', 'SCHEDULE_INVALID'],
    ['FREQ=DAILY;BYDAY=2FR', 'SCHEDULE_INVALID'],
    [
      'FREQ=SECONDLY;INTERVAL=700;BYDAY=MO;BYHOUR=0,1,2,3,4,5,7,8,9,10,11,12,14,15,16,17,18,19,21,22,23;BYMINUTE=1;BYSECOND=40',
      'SCHEDULE_TOO_COSTLY',
    ],
    [`RRULE:FREQ=DAILY RDATE:${Array.from({ length: 2_001 }, (_, at) => 20_260_101 + (at % 28)).join(',')}`, 'SCHEDULE_TOO_COSTLY'],
  ])('%s is refused', (rrule, code) => {
    expect(() => parseSchedule({ rrule })).toThrow(expect.objectContaining({ code, exitCode: 2 }));
  });
});

describe('a rule with COUNT', () => {
  it('ends with its last tick, however many and however late it is asked', () => {
    const schedule = parseSchedule({ rrule: 'DTSTART:20261128T000000Z RRULE:FREQ=SECONDLY;COUNT=100000' });
    const last = Date.parse('2026-11-28T00:00:00Z') + 99_999_000;
    expect(nextAfter(schedule, last - 1)).toBe(last);
    expect(nextAfter(schedule, last)).toBeNull();
    expect(nextAfter(schedule, last - 50_000_000)).toBe(last - 49_999_000);
  });

  it('counts what BY-parts let through', () => {
    const rrule = 'DTSTART:20260101T083000Z RRULE:FREQ=MINUTELY;INTERVAL=20;BYHOUR=9;COUNT=5';
    expect(ticks({ rrule }, '2026-01-01T00:00Z', 9)).toEqual([
      '2026-01-01T09:10',
      '2026-01-01T09:30',
      '2026-01-01T09:50',
      '2026-01-02T09:10',
      '2026-01-02T09:30',
    ]);
  });
});

describe('the ticks of half a century', () => {
  const now = Date.parse('2026-11-29T22:00:00Z');
  it.each<[ScheduleInput, number]>([
    [{ rrule: 'DTSTART:19700101T000000Z RRULE:FREQ=SECONDLY' }, now / 1_000],
    // Without DTSTART it begins on 2001-01-01.
    [{ rrule: 'FREQ=SECONDLY', timezone: 'America/New_York' }, (now - Date.UTC(2001, 0, 1, 5)) / 1_000],
    [{ cron: '* * * * * *' }, now / 1_000],
    [{ cron: '* * * * * *', timezone: 'America/New_York' }, now / 1_000],
  ])('of %j are estimated, and the last are found from the end', (input, total) => {
    const stretch = { schedule: parseSchedule(input), fromAt: 0, untilAt: now };
    const count = countTicks(stretch, 10_000);
    expect(count.exact).toBe(false);
    expect(Math.abs(count.total - total) / total).toBeLessThan(0.001);
    expect(lastTicks(stretch, 100, 1_000)).toEqual(Array.from({ length: 100 }, (_, at) => now - (at + 1) * 1_000));
  });

  it('are found from the end where all of them lie at the beginning', () => {
    const schedule = parseSchedule({ rrule: 'DTSTART:19700101T000000Z RRULE:FREQ=SECONDLY;UNTIL=19710101T000000Z' });
    const end = Date.UTC(1971, 0, 1);
    expect(lastTicks({ schedule, fromAt: 0, untilAt: now }, 3, 1_000)).toEqual([end, end - 1_000, end - 2_000]);
  });
});
