import { describe, expect, it } from 'vitest';
import { readEvery } from '../../../src/model/schedule/interval.ts';
import { nextAfter, nextTicks, parseSchedule, type ScheduleInput } from '../../../src/model/schedule/schedule.ts';
import { markOf, touchedChanges } from '../../../src/model/schedule/changes.ts';
import { describeChange, describeSchedule } from '../../../src/model/schedule/words.ts';

const newYork = 'America/New_York';

/** Ticks after an instant, to the minute, e.g. `2026-03-08T07:00Z`. */
function ticks(input: ScheduleInput, from: string, count = 3): string[] {
  return nextTicks(parseSchedule(input), Date.parse(from), count).map((tick) => new Date(tick).toISOString().replace(':00.000Z', 'Z'));
}

/** The sentences of the clock changes that a preview would print. */
function changes(input: ScheduleInput, from: string, count = 3): string[] {
  const schedule = parseSchedule(input);
  return touchedChanges(schedule, Date.parse(from), nextTicks(schedule, Date.parse(from), count)).map(describeChange);
}

function marks(input: ScheduleInput, from: string, count = 3): (string | null)[] {
  const schedule = parseSchedule(input);
  const found = nextTicks(schedule, Date.parse(from), count);
  const touched = touchedChanges(schedule, Date.parse(from), found);
  return found.map((tick) => markOf(tick, schedule, touched));
}

describe('cron', () => {
  it.each<[string, string, string[]]>([
    ['*/20 9 * * *', '2026-01-01T09:00Z', ['2026-01-01T09:20Z', '2026-01-01T09:40Z', '2026-01-02T09:00Z']],
    ['@daily', '2026-01-01T00:00Z', ['2026-01-02T00:00Z', '2026-01-03T00:00Z', '2026-01-04T00:00Z']],
    ['0 0 L * *', '2028-01-31T12:00Z', ['2028-02-29T00:00Z', '2028-03-31T00:00Z', '2028-04-30T00:00Z']],
    ['0 0 15W * *', '2026-02-01T00:00Z', ['2026-02-16T00:00Z', '2026-03-16T00:00Z', '2026-04-15T00:00Z']],
    ['0 9 * * FRI#2', '2026-01-01T00:00Z', ['2026-01-09T09:00Z', '2026-02-13T09:00Z', '2026-03-13T09:00Z']],
    ['0 9 * JAN-FEB FRIL', '2026-01-01T00:00Z', ['2026-01-30T09:00Z', '2026-02-27T09:00Z', '2027-01-29T09:00Z']],
    ['0 0 13 * FRI', '2026-11-12T00:00Z', ['2026-11-13T00:00Z', '2026-11-20T00:00Z', '2026-11-27T00:00Z']],
    ['0 0 29 2 *', '2026-01-01T00:00Z', ['2028-02-29T00:00Z', '2032-02-29T00:00Z', '2036-02-29T00:00Z']],
  ])('%s ticks where it says', (cron, from, expected) => {
    expect(ticks({ cron }, from)).toEqual(expected);
  });

  it('takes seconds as a sixth field, in front', () => {
    const schedule = parseSchedule({ cron: '*/30 * * * * *' });
    expect(nextTicks(schedule, 1_000, 3)).toEqual([30_000, 60_000, 90_000]);
    expect(nextAfter(schedule, 29_999)).toBe(30_000);
  });

  it('moves a time in the gap of spring to its end, that day only', () => {
    const input = { cron: '30 2 * * *', timezone: newYork };
    expect(ticks(input, '2026-03-07T00:00Z')).toEqual(['2026-03-07T07:30Z', '2026-03-08T07:00Z', '2026-03-09T06:30Z']);
    expect(marks(input, '2026-03-07T00:00Z')).toEqual([null, 'moved', null]);
    expect(changes(input, '2026-03-07T00:00Z')).toEqual([
      'On 2026-03-08 clocks go forward from 02:00 to 03:00: 02:30 does not exist that day, so its tick moves forward.',
    ]);
  });

  it('fires once at a time that comes twice, also when several times of day are listed', () => {
    const input = { cron: '30 1,13 * * *', timezone: newYork };
    expect(ticks(input, '2026-10-31T20:00Z')).toEqual(['2026-11-01T05:30Z', '2026-11-01T18:30Z', '2026-11-02T06:30Z']);
    expect(marks(input, '2026-10-31T20:00Z')).toEqual(['only', null, null]);
  });

  it('fires through both of the repeated hours when it steps', () => {
    const input = { cron: '*/30 1 * * *', timezone: newYork };
    expect(ticks(input, '2026-11-01T00:00Z', 4)).toEqual([
      '2026-11-01T05:00Z',
      '2026-11-01T05:30Z',
      '2026-11-01T06:00Z',
      '2026-11-01T06:30Z',
    ]);
    expect(marks(input, '2026-11-01T00:00Z', 4)).toEqual(['first', 'first', 'second', 'second']);
  });

  it.each<[string, string, string, string[]]>([
    ['Europe/Lisbon', '30 1 * * *', '2026-03-28T12:00Z', ['2026-03-29T01:00Z', '2026-03-30T00:30Z']],
    ['Australia/Lord_Howe', '15 2 * * *', '2026-10-03T00:00Z', ['2026-10-03T15:30Z', '2026-10-04T15:15Z']],
    ['Australia/Lord_Howe', '45 1 * * *', '2026-04-04T00:00Z', ['2026-04-04T14:45Z', '2026-04-05T15:15Z']],
    ['Pacific/Apia', '0 9 * * *', '2011-12-29T00:00Z', ['2011-12-29T19:00Z', '2011-12-30T19:00Z']],
    ['Africa/Casablanca', '30 2 * * *', '2026-02-14T12:00Z', ['2026-02-15T01:30Z', '2026-02-16T02:30Z']],
    ['Asia/Tehran', '30 0 * * *', '2022-03-20T21:30Z', ['2022-03-21T20:30Z', '2022-03-22T20:00Z']],
    ['Antarctica/Troll', '30 1 * * *', '2026-03-28T12:00Z', ['2026-03-29T01:00Z', '2026-03-29T23:30Z']],
  ])('in %s %s meets the clock change', (timezone, cron, from, expected) => {
    expect(ticks({ cron, timezone }, from, 2)).toEqual(expected);
  });
});

describe('intervals', () => {
  it('daily at 09:00 stays at 09:00 on the wall clock', () => {
    const input = { interval: '1 day', anchor: '2026-01-01T09:00', timezone: newYork };
    expect(ticks(input, '2026-03-07T00:00Z')).toEqual(['2026-03-07T14:00Z', '2026-03-08T13:00Z', '2026-03-09T13:00Z']);
    expect(changes(input, '2026-03-07T00:00Z')).toEqual([]);
  });

  it('a day whose time does not exist moves forward by the gap, that day only', () => {
    const input = { interval: '24h', anchor: '2026-01-01T02:30', timezone: newYork };
    expect(ticks(input, '2026-03-07T08:00Z')).toEqual(['2026-03-08T07:30Z', '2026-03-09T06:30Z', '2026-03-10T06:30Z']);
    expect(marks(input, '2026-03-07T08:00Z')).toEqual(['moved', null, null]);
  });

  it.each<ScheduleInput>([{ interval: '1 day' }, { rrule: 'FREQ=DAILY' }])(
    '%j with an anchor that its day leaves out keeps that time on all others',
    (kind) => {
      const input = { ...kind, anchor: '2026-03-08T02:30', timezone: newYork };
      expect(ticks(input, '2026-03-08T00:00Z')).toEqual(['2026-03-08T07:30Z', '2026-03-09T06:30Z', '2026-03-10T06:30Z']);
      expect(describeSchedule(parseSchedule(input))).toBe('Every day at 02:30, in America/New_York');
    },
  );

  it('an anchor that its day leaves out is refused for elapsed time, which has no other day to take it from', () => {
    expect(() => parseSchedule({ interval: '5h', anchor: '2026-03-08T02:30', timezone: newYork })).toThrow(
      expect.objectContaining({ code: 'SCHEDULE_INVALID', message: expect.stringContaining('does not exist in America/New_York') }),
    );
  });

  it('a day whose time comes twice ticks once', () => {
    const input = { interval: '1d', anchor: '2026-01-01T01:30', timezone: newYork };
    expect(ticks(input, '2026-10-31T06:00Z')).toEqual(['2026-11-01T05:30Z', '2026-11-02T06:30Z', '2026-11-03T06:30Z']);
  });

  it('the day that Samoa left out falls together with the next', () => {
    const input = { interval: '1 day', anchor: '2011-01-01T09:00', timezone: 'Pacific/Apia' };
    expect(ticks(input, '2011-12-29T00:00Z')).toEqual(['2011-12-29T19:00Z', '2011-12-30T19:00Z', '2011-12-31T19:00Z']);
  });

  it('weeks count from a Monday unless an anchor is given', () => {
    expect(ticks({ interval: '1 week', timezone: 'Asia/Tokyo' }, '2026-01-01T00:00Z', 2)).toEqual([
      '2026-01-04T15:00Z',
      '2026-01-11T15:00Z',
    ]);
    expect(ticks({ interval: '2 weeks', anchor: '2026-01-07' }, '2026-01-01T00:00Z', 2)).toEqual([
      '2026-01-07T00:00Z',
      '2026-01-21T00:00Z',
    ]);
  });

  it.each([
    [' 90 ', { ms: 90_000 }],
    ['+90', { ms: 90_000 }],
    ['1.25', { ms: 1_250 }],
    ['1s', { ms: 1_000 }],
    ['36500 days', { days: 36_500 }],
  ] as const)('%j is an interval', (text, every) => expect(readEvery(text)).toEqual(every));

  it('hours are elapsed time, whatever the clocks do', () => {
    const input = { interval: '3600', timezone: newYork };
    expect(ticks(input, '2026-11-01T04:30Z')).toEqual(['2026-11-01T05:00Z', '2026-11-01T06:00Z', '2026-11-01T07:00Z']);
    expect(changes(input, '2026-11-01T04:30Z')).toEqual([]);
  });

  it('reach back before the anchor', () => {
    expect(ticks({ interval: '90m', anchor: '2026-01-01T00:00Z' }, '2025-12-31T21:00Z', 2)).toEqual([
      '2025-12-31T22:30Z',
      '2026-01-01T00:00Z',
    ]);
  });
});

describe('recurrence rules', () => {
  it('expand in the zone of DTSTART and leave out EXDATE', () => {
    const rrule = `DTSTART;TZID=${newYork}:20260101T023000\nRRULE:FREQ=DAILY\nEXDATE;TZID=${newYork}:20260309T023000`;
    expect(parseSchedule({ rrule }).timezone).toBe(newYork);
    expect(ticks({ rrule }, '2026-03-07T00:00Z')).toEqual(['2026-03-07T07:30Z', '2026-03-08T07:30Z', '2026-03-10T06:30Z']);
    expect(marks({ rrule }, '2026-03-07T00:00Z')).toEqual([null, 'moved', null]);
  });

  it('leave out the whole day of a date in EXDATE', () => {
    const rrule = 'DTSTART:20260101T090000 RRULE:FREQ=DAILY;BYHOUR=9,17 EXDATE;VALUE=DATE:20260102,20260103 EXDATE:20260104T170000';
    expect(ticks({ rrule }, '2026-01-01T12:00Z')).toEqual(['2026-01-01T17:00Z', '2026-01-04T09:00Z', '2026-01-05T09:00Z']);
  });

  it('take times in UTC, extra dates, COUNT and UNTIL', () => {
    const counted = 'DTSTART:20260301T090000Z RRULE:FREQ=DAILY;COUNT=2 RDATE:20260310T120000Z';
    expect(ticks({ rrule: counted, timezone: 'Europe/Berlin' }, '2026-01-01T00:00Z', 9)).toEqual([
      '2026-03-01T09:00Z',
      '2026-03-02T09:00Z',
      '2026-03-10T12:00Z',
    ]);
    const until = 'DTSTART:20260301T090000 RRULE:FREQ=DAILY;UNTIL=20260302';
    expect(ticks({ rrule: until }, '2026-01-01T00:00Z', 9)).toEqual(['2026-03-01T09:00Z', '2026-03-02T09:00Z']);
  });

  it.each<[string, string[]]>([
    ['FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=9', ['2026-03-27T09:00Z', '2026-04-24T09:00Z', '2026-05-29T09:00Z']],
    ['FREQ=WEEKLY;BYDAY=TU,SU;WKST=SU', ['2026-03-08T00:00Z', '2026-03-10T00:00Z', '2026-03-15T00:00Z']],
    ['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29', ['2028-02-29T00:00Z', '2032-02-29T00:00Z', '2036-02-29T00:00Z']],
    ['FREQ=MINUTELY;BYHOUR=3', ['2026-03-06T03:00Z', '2026-03-06T03:01Z', '2026-03-06T03:02Z']],
  ])('%s ticks where it says', (rrule, expected) => {
    expect(ticks({ rrule }, '2026-03-05T12:00Z')).toEqual(expected);
  });

  it.each([
    'FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU',
    'FREQ=MONTHLY;INTERVAL=5;BYMONTHDAY=31',
    'FREQ=MONTHLY;INTERVAL=5',
    'FREQ=YEARLY;INTERVAL=3;BYDAY=20MO',
    'FREQ=DAILY;INTERVAL=11;BYHOUR=3,4',
    'FREQ=HOURLY;INTERVAL=35',
  ])('%s keeps the phase of its start years later', (rrule) => {
    const dated = `DTSTART:20010103T101500 RRULE:${rrule}`;
    // A rule with COUNT cannot be expanded from anywhere but its start.
    expect(ticks({ rrule: dated }, '2026-03-05T12:00Z', 9)).toEqual(ticks({ rrule: `${dated};COUNT=100000` }, '2026-03-05T12:00Z', 9));
  });

  it('HOURLY ones pass over clock changes as the clock does', () => {
    const input = { rrule: 'FREQ=HOURLY', timezone: newYork };
    expect(ticks(input, '2026-11-01T04:30Z')).toEqual(['2026-11-01T05:00Z', '2026-11-01T06:00Z', '2026-11-01T07:00Z']);
    expect(ticks(input, '2026-03-08T06:30Z', 2)).toEqual(['2026-03-08T07:00Z', '2026-03-08T08:00Z']);
  });
});

describe('bounds', () => {
  it('start is included, end is not', () => {
    const input = { cron: '@hourly', start: '2026-01-01T05:00', end: '2026-01-01T07:00Z' };
    expect(ticks(input, '2025-01-01T00:00Z', 9)).toEqual(['2026-01-01T05:00Z', '2026-01-01T06:00Z']);
    expect(nextAfter(parseSchedule(input), Date.parse('2026-01-01T06:00Z'))).toBeNull();
  });
});

describe('words', () => {
  it.each<[ScheduleInput, string]>([
    [{ cron: '30 2 * * MON', timezone: newYork }, 'At 02:30, only on Monday, in America/New_York'],
    [{ cron: '@daily' }, 'At 00:00, in UTC'],
    [{ interval: '1 day', anchor: '2026-01-01T09:00' }, 'Every day at 09:00, in UTC'],
    [{ interval: '2 weeks', anchor: '2026-01-07' }, 'Every 2 weeks on Wednesday at 00:00, counted from 2026-01-07, in UTC'],
    [{ interval: '3 days' }, 'Every 3 days at 00:00, counted from 2001-01-01, in UTC'],
    [{ interval: '90m' }, 'Every 1 h 30 m of elapsed time, counted from 2001-01-01 00:00, in UTC'],
    [
      { rrule: 'DTSTART:20260105T093000 RRULE:FREQ=WEEKLY;BYDAY=FR EXDATE:20260109T093000' },
      'Every week on Friday at 09:30, except at 1 named time, in UTC',
    ],
  ])('%j reads well', (input, words) => {
    expect(describeSchedule(parseSchedule(input))).toBe(words);
  });
});

describe('a schedule is refused in one sentence', () => {
  it.each<[ScheduleInput, string]>([
    [{}, 'A schedule needs one of cron, interval and rrule.'],
    [{ cron: '@daily', interval: '1h' }, 'not cron and interval'],
    [{ cron: '0 25 * * *' }, "Field 2 (hour) of the cron expression '0 25 * * *' cannot be '25'; allowed are 0 to 23"],
    [{ cron: '0 0 9 * * FOO' }, "Field 6 (day of week) of the cron expression '0 0 9 * * FOO' cannot be 'FOO'"],
    [{ cron: '61 * * * *' }, 'Field 1 (minute)'],
    [{ cron: '* * * 13 *' }, 'Field 4 (month)'],
    [{ cron: '' }, 'has 0 fields; it takes 5'],
    [{ cron: '* * * * * * *' }, 'has 7 fields; it takes 5'],
    [{ cron: '@dayly' }, "Did you mean '@daily'?"],
    [{ cron: '0 0 31 2 *' }, 'never comes'],
    [{ cron: '@daily', anchor: '2026-01-01' }, 'takes no anchor'],
    [{ cron: '@daily', timezone: 'Europe/Lisbn' }, "There is no time zone 'Europe/Lisbn'. Did you mean 'Europe/Lisbon'"],
    [{ cron: '@daily', timezone: 'New York' }, "Did you mean 'America/New_York'?"],
    [{ cron: '@daily', timezone: '+02:00' }, "There is no time zone '+02:00'."],
    [{ cron: '@daily', timezone: '' }, "There is no time zone ''."],
    [{ interval: '0' }, 'must be longer than 0'],
    [{ interval: '-5m' }, 'must be longer than 0'],
    [{ interval: '999ms' }, 'must be from 1 second'],
    [{ interval: '36501 days' }, 'must be from 1 second to 36500 days'],
    [{ interval: '1.' }, 'is not a duration'],
    [{ interval: 'soon' }, 'is not a duration'],
    [{ interval: '1h', anchor: '2026-02-30' }, 'anchor must be an ISO time'],
    [{ interval: '1h', start: '2026-02-02', end: '2026-02-01' }, 'The schedule ends (2026-02-01) before it starts (2026-02-02).'],
    [{ rrule: '' }, 'has no rule'],
    [{ rrule: 'INTERVAL=2' }, 'has no FREQ'],
    [{ rrule: 'FREQ=FORTNIGHTLY' }, "FREQ of the rrule cannot be 'FORTNIGHTLY'; allowed are YEARLY"],
    [{ rrule: 'FREQ=DAILY;BYHUOR=3' }, "'BYHUOR' is no part of an rrule. Did you mean 'BYHOUR'?"],
    [{ rrule: 'FREQ=DAILY;BYHOUR=24' }, "BYHOUR of the rrule cannot be '24'; allowed are 0 to 23"],
    [{ rrule: 'FREQ=DAILY;COUNT=3' }, 'COUNT needs a DTSTART'],
    [{ rrule: 'DTSTART:20260101 RRULE:FREQ=DAILY;COUNT=3;UNTIL=20270101' }, 'COUNT or UNTIL, not both'],
    [{ rrule: 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30' }, 'never comes'],
    [{ rrule: 'FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30' }, 'never comes'],
    [{ rrule: 'FREQ=HOURLY;INTERVAL=24;BYHOUR=5' }, 'never comes'],
    [{ rrule: 'FREQ=DAILY;BYSETPOS=3' }, 'BYSETPOS of an rrule needs FREQ YEARLY, MONTHLY or WEEKLY.'],
    [{ rrule: 'DTSTART;TZID=Asia/Tokyo:20260101 RRULE:FREQ=DAILY', timezone: 'UTC' }, 'leave one out'],
    [{ rrule: 'RRULE:FREQ=DAILY EXDATE:2026' }, "EXDATE of the rrule cannot be '2026'"],
    [{ rrule: 'RRULE:FREQ=DAILY SUMMARY:x' }, "'SUMMARY:x' is no line of an rrule."],
  ])('%j', (input, message) => {
    expect(() => parseSchedule(input)).toThrow(
      expect.objectContaining({ code: 'SCHEDULE_INVALID', exitCode: 2, message: expect.stringContaining(message) }),
    );
  });
});
