import { describe, expect, test } from 'vitest';
import { countTicks, firstTicks, lastTicks, type Stretch } from '../../../src/model/schedule/backfill-ticks.ts';
import { parseSchedule, type ScheduleInput } from '../../../src/model/schedule/schedule.ts';

const day = 86_400_000;
const at = (text: string): number => Date.parse(text);
const stretch = (input: ScheduleInput, from: string, until: string): Stretch => ({
  schedule: parseSchedule(input),
  fromAt: at(from),
  untilAt: at(until),
});
const january = stretch({ cron: '0 0 * * *' }, '2026-01-01T00:00Z', '2026-02-01T00:00Z');

describe('the ticks of a stretch', () => {
  test('begin with its first instant and end before its last', () => {
    expect(firstTicks(january, 2)).toEqual([at('2026-01-01T00:00Z'), at('2026-01-02T00:00Z')]);
    expect(lastTicks(january, 2, day)).toEqual([at('2026-01-31T00:00Z'), at('2026-01-30T00:00Z')]);
    expect(countTicks(january, 100)).toEqual({ total: 31, exact: true });
  });

  test.each<[ScheduleInput, number]>([
    [{ cron: '*/7 3 * * *' }, 60_000],
    [{ cron: '0 0 1 * *' }, 1_000],
    [{ cron: '0 9 29 2 *' }, day],
    [{ interval: '5h' }, 10 * day],
    [{ rrule: 'FREQ=WEEKLY;BYDAY=MO,FR;BYHOUR=9', timezone: 'Europe/Lisbon' }, 1_000],
  ])('%j are the same from either end, however far apart they are thought to be', (input, apartMs) => {
    const one = stretch(input, '2024-01-10T00:00Z', '2024-04-20T00:00Z');
    const all = firstTicks(one, 100_000);
    expect(all.length).toBeGreaterThan(0);
    expect(lastTicks(one, 100_000, apartMs)).toEqual([...all].reverse());
    expect(lastTicks(one, 3, apartMs)).toEqual([...all].reverse().slice(0, 3));
    expect(countTicks(one, 100_000)).toEqual({ total: all.length, exact: true });
  });

  test('are none where the schedule has none', () => {
    const none = stretch({ cron: '0 0 30 2 */2', start: '2027-01-01' }, '2026-01-01T00:00Z', '2026-02-01T00:00Z');
    expect([firstTicks(none, 5), lastTicks(none, 5, day), countTicks(none, 5).total]).toEqual([[], [], 0]);
  });

  test('end with the schedule where that ends first, counted and estimated', () => {
    const ended = stretch({ cron: '0 0 * * *', end: '2026-01-10T12:00Z' }, '2026-01-01T00:00Z', '2026-02-01T00:00Z');
    expect(firstTicks(ended, 100)).toHaveLength(10);
    expect(lastTicks(ended, 1, day)).toEqual([at('2026-01-10T00:00Z')]);
    expect(countTicks(ended, 100)).toEqual({ total: 10, exact: true });
    expect(countTicks(ended, 4)).toEqual({ total: 10, exact: false });
  });

  test('are counted exactly up to as many as are to be', () => {
    expect([countTicks(january, 31), countTicks(january, 30).exact]).toEqual([{ total: 31, exact: true }, false]);
  });

  test('that are very many are estimated, at once and close', () => {
    const years = stretch({ cron: '* * * * *' }, '2000-01-01T00:00Z', '2026-01-01T00:00Z');
    const { total, exact } = countTicks(years, 1_000);
    const minutes = (years.untilAt - years.fromAt) / 60_000;
    expect(exact).toBe(false);
    expect(total).toBe(minutes);
    expect(lastTicks(years, 2, 60_000)).toEqual([at('2025-12-31T23:59Z'), at('2025-12-31T23:58Z')]);
  });
});
