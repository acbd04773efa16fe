import { describe, expect, it } from 'vitest';
import { monthOf } from '../../../web/src/schedule/month.ts';
import { markTicks, offsetMinutes, offsetText, wallTime } from '../../../web/src/schedule/tick-marks.ts';
import { outcomeOf, yearOf } from '../../../web/src/schedule/year.ts';

describe('the year of a deployment', () => {
  it('has a column a week up to today, and each day says what became of it', () => {
    const now = Date.UTC(2026, 10, 22, 18);
    const year = yearOf([{ startAt: Date.UTC(2026, 10, 21), completed: 9, failed: 1, cancelled: 0 }], now);
    expect(year.weeks).toHaveLength(53);
    const last = year.weeks.at(-1) ?? [];
    expect(last.map(({ weekday }) => weekday)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(last.at(-2)).toMatchObject({ outcome: 'mixed', runs: 10, failed: 1 });
    expect(last.at(-1)).toMatchObject({ at: Date.UTC(2026, 10, 22), outcome: 'none' });
    expect(year.months.map(({ label }) => label)).toHaveLength(12);
  });

  it('names outcomes', () => {
    expect(outcomeOf({ completed: 3, failed: 0, cancelled: 1 })).toBe('fine');
    expect(outcomeOf({ completed: 3, failed: 3, cancelled: 0 })).toBe('failed');
    expect(outcomeOf({ completed: 0, failed: 0, cancelled: 2 })).toBe('cancelled');
  });
});

describe('the calendar of a schedule', () => {
  it('puts each tick on the day it has in the zone of the schedule', () => {
    const weeks = monthOf(2026, 3, [Date.UTC(2026, 2, 8, 3)], 'America/New_York');
    expect(weeks[0]?.[0]).toMatchObject({ date: '2026-02-23', inMonth: false });
    const marked = weeks.flat().filter(({ ticks }) => ticks.length > 0);
    expect(marked.map(({ date }) => date)).toEqual(['2026-03-07']);
    expect(weeks).toHaveLength(6);
  });
});

describe('ticks over a clock change', () => {
  const zone = 'America/New_York';
  it('that move out of the spring gap say so, for that day only', () => {
    const ticks = [Date.UTC(2026, 2, 7, 7, 30), Date.UTC(2026, 2, 8, 7), Date.UTC(2026, 2, 9, 6, 30), Date.UTC(2026, 2, 10, 6, 30)];
    const marked = markTicks(ticks, zone);
    expect(marked.map(({ wall }) => wall)).toEqual(['02:30', '03:00', '02:30', '02:30']);
    expect(marked.map(({ mark }) => mark !== null)).toEqual([false, true, false, false]);
    expect(marked[1]?.mark).toBe('Moved to 03:00: clocks go forward over its time this day');
  });

  it('that keep their time on the wall say after which change they come', () => {
    const marked = markTicks([Date.UTC(2026, 9, 31, 13), Date.UTC(2026, 10, 1, 14), Date.UTC(2026, 10, 2, 14)], zone);
    expect(marked.map(({ wall }) => wall)).toEqual(['09:00', '09:00', '09:00']);
    expect(marked[1]?.mark).toBe('First after clocks go back (UTC−4 to UTC−5)');
  });

  it('reads offsets of any zone', () => {
    expect([offsetMinutes('UTC', 0), offsetMinutes('Asia/Kolkata', 0), offsetMinutes('America/St_Johns', Date.UTC(2026, 0, 1))]).toEqual([
      0, 330, -210,
    ]);
    expect([offsetText(-210), offsetText(0)]).toEqual(['UTC−3:30', 'UTC+0']);
    expect(wallTime('UTC', 5_000)).toBe('00:00:05');
  });
});
