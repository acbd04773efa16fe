/** Which ticks become runs and which are dropped: catch-up, windows, jumps of the clock, jitter. */
import { describe, expect, test } from 'vitest';
import type { Catchup } from '../../../src/model/deployment.ts';
import { nextTicks, parseSchedule } from '../../../src/model/schedule/schedule.ts';
import { jitterOf, missedAfterMs, ticksDue } from '../../../src/model/schedule/ticks.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const noon = Date.UTC(2026, 2, 10, 12);
const hourly = parseSchedule({ cron: '0 * * * *' });
const everySecond = parseSchedule({ cron: '* * * * * *' });

function ask(changes: Partial<Parameters<typeof ticksDue>[0]> = {}): ReturnType<typeof ticksDue> {
  const asOf = changes.asOf ?? noon;
  const question = { schedule: hourly, nextTickAt: noon, catchup: 'latest' as Catchup, catchupWindowMs: hourMs, limit: 1_000 };
  return ticksDue({ ...question, asOf, until: asOf + 5_000, ...changes });
}

const times = (ticks: readonly { readonly at: number }[]): string[] => ticks.map(({ at }) => new Date(at).toISOString().slice(11, 19));

describe('ticks on time', () => {
  test('a tick is made once it is within the look-ahead, and the next one follows', () => {
    expect(ask({ asOf: noon - 5_001 })).toEqual({ ticks: [], dropped: null, nextTickAt: noon });
    expect(ask({ asOf: noon - 5_000 })).toEqual({ ticks: [{ at: noon, missed: false }], dropped: null, nextTickAt: noon + hourMs });
  });

  test('a tick that is a moment late is no missed one, whatever the policy', () => {
    for (const catchup of ['none', 'latest', 'all'] as const)
      expect(ask({ asOf: noon + missedAfterMs, catchup }).ticks).toEqual([{ at: noon, missed: false }]);
  });

  test('of a schedule that ticks every second all within the look-ahead are made, and no tick twice', () => {
    const first = ask({ schedule: everySecond, asOf: noon });
    expect(times(first.ticks)).toEqual(['12:00:00', '12:00:01', '12:00:02', '12:00:03', '12:00:04', '12:00:05']);
    const second = ask({ schedule: everySecond, asOf: noon + 1_000, nextTickAt: first.nextTickAt ?? 0 });
    expect(times(second.ticks)).toEqual(['12:00:06']);
  });

  test('what exceeds the limit is left for the next question', () => {
    const first = ask({ schedule: everySecond, limit: 4 });
    expect(first.ticks).toHaveLength(4);
    expect(times(ask({ schedule: everySecond, nextTickAt: first.nextTickAt ?? 0, limit: 4 }).ticks)).toEqual(['12:00:04', '12:00:05']);
  });

  test('a schedule that has ended has no next tick', () => {
    const ending = parseSchedule({ cron: '0 * * * *', end: '2026-03-10T12:30:00Z' });
    expect(ask({ schedule: ending })).toMatchObject({ ticks: [{ at: noon }], nextTickAt: null });
  });
});

describe('ticks that were missed', () => {
  const restart = noon + 3 * hourMs + 20 * 60_000;

  test(`'none' makes none up, and one row says which there were`, () => {
    const { ticks, dropped, nextTickAt } = ask({ asOf: restart, catchup: 'none' });
    expect(ticks).toEqual([]);
    expect(nextTickAt).toBe(noon + 4 * hourMs);
    expect(dropped).toEqual({
      firstAt: noon,
      lastAt: noon + 3 * hourMs,
      message:
        "4 ticks from 2026-03-10T12:00:00.000Z to 2026-03-10T15:00:00.000Z were missed while no scheduler was running; catchup 'none' makes up none.",
    });
  });

  test(`'latest' makes up the newest alone`, () => {
    const { ticks, dropped, nextTickAt } = ask({ asOf: restart });
    expect(ticks).toEqual([{ at: noon + 3 * hourMs, missed: true }]);
    expect(dropped).toMatchObject({ firstAt: noon, lastAt: noon + 2 * hourMs });
    expect(nextTickAt).toBe(noon + 4 * hourMs);
  });

  test(`'latest' makes up the newest alone, however many the window holds, up to its very edge`, () => {
    const wide = ask({ asOf: restart, catchupWindowMs: dayMs });
    expect(wide.ticks).toEqual([{ at: noon + 3 * hourMs, missed: true }]);
    expect(wide.dropped).toMatchObject({ firstAt: noon, lastAt: noon + 2 * hourMs });
    expect(ask({ asOf: restart, catchupWindowMs: 20 * 60_000 }).ticks).toEqual(wide.ticks);
    expect(ask({ asOf: restart, catchupWindowMs: 20 * 60_000 - 1 }).ticks).toEqual([]);
  });

  test('missed ticks of a schedule that has ended meanwhile are reported up to its last one', () => {
    const ended = parseSchedule({ cron: '0 * * * *', end: new Date(noon + 2.5 * hourMs).toISOString() });
    const { ticks, dropped, nextTickAt } = ask({ schedule: ended, asOf: restart + hourMs, catchup: 'none' });
    expect([ticks, nextTickAt]).toEqual([[], null]);
    expect(dropped).toMatchObject({ firstAt: noon, lastAt: noon + 2 * hourMs, message: expect.stringMatching(/^3 ticks from/) });
    expect(ask({ schedule: ended, asOf: restart, catchupWindowMs: dayMs }).ticks).toEqual([{ at: noon + 2 * hourMs, missed: true }]);
  });

  test('are counted up to a thousand', () => {
    const lost = (ticks: number) =>
      ask({ schedule: everySecond, asOf: noon + ticks * 1_000 + missedAfterMs, catchup: 'none' }).dropped?.message;
    expect(lost(1_000)).toMatch(/^1000 ticks/);
    expect(lost(1_001)).toMatch(/^More than 1,000 ticks/);
  });

  test(`'latest' makes up none that is older than the window`, () => {
    const { ticks, dropped } = ask({ asOf: restart, catchupWindowMs: 60_000 });
    expect(ticks).toEqual([]);
    expect(dropped?.lastAt).toBe(noon + 3 * hourMs);
  });

  test(`'all' makes up all within the window and drops those before it`, () => {
    const { ticks, dropped } = ask({ asOf: restart, catchup: 'all', catchupWindowMs: 2 * hourMs });
    expect(ticks).toEqual([
      { at: noon + 2 * hourMs, missed: true },
      { at: noon + 3 * hourMs, missed: true },
    ]);
    expect(dropped).toMatchObject({ firstAt: noon, lastAt: noon + hourMs, message: expect.stringContaining('2 ticks from') });
  });

  test('one tick that was dropped is told as one', () => {
    expect(ask({ asOf: noon + 60_000, catchup: 'none' }).dropped?.message).toBe(
      "The tick of 2026-03-10T12:00:00.000Z was missed while no scheduler was running; catchup 'none' makes up none.",
    );
  });

  test('a tick on time is made together with the newest missed one', () => {
    expect(times(ask({ asOf: noon + hourMs - 3_000 }).ticks)).toEqual(['12:00:00', '13:00:00']);
  });

  test('the longest outage costs one row and a bounded look: a year of seconds', () => {
    const asOf = noon + 365 * dayMs;
    const { ticks, dropped } = ask({ schedule: everySecond, asOf, catchup: 'none' });
    expect(ticks[0]).toEqual({ at: asOf - missedAfterMs, missed: false });
    expect(dropped).toMatchObject({
      firstAt: noon,
      lastAt: asOf - missedAfterMs - 1_000,
      message: expect.stringMatching(/^More than 1,000 ticks/),
    });
  });

  test('catch-up of all in parts makes each tick once', () => {
    const made: number[] = [];
    let nextTickAt: number | null = noon;
    while (nextTickAt !== null && nextTickAt <= noon + hourMs + 5_000) {
      const answer: ReturnType<typeof ticksDue> = ask({
        schedule: everySecond,
        nextTickAt,
        asOf: noon + hourMs,
        catchup: 'all',
        limit: 500,
      });
      made.push(...answer.ticks.map(({ at }) => at));
      nextTickAt = answer.nextTickAt;
    }
    expect(made).toEqual(nextTicks(everySecond, noon - 1, 3_606));
  });
});

describe('a clock that jumps', () => {
  test('back an hour: nothing is due until it has come round again, so nothing repeats', () => {
    const { nextTickAt } = ask({ schedule: everySecond });
    expect(ask({ schedule: everySecond, nextTickAt: nextTickAt ?? 0, asOf: noon - hourMs })).toEqual({
      ticks: [],
      dropped: null,
      nextTickAt,
    });
  });

  test('forward a day: one run at most of each schedule, unless all are asked for, and then those of the window', () => {
    const asOf = noon + dayMs + 1_800_000;
    expect(ask({ asOf, catchup: 'none' }).ticks).toHaveLength(0);
    expect(ask({ asOf, catchup: 'latest' }).ticks).toHaveLength(1);
    expect(ask({ asOf, catchup: 'all', catchupWindowMs: 3 * hourMs }).ticks).toHaveLength(3);
  });
});

describe('jitter', () => {
  test('is the same for all schedulers, within its bounds, and spread', () => {
    const delays = nextTicks(hourly, noon, 1_000).map((tick) => jitterOf('schedule', tick, 60_000));
    expect(delays).toEqual(nextTicks(hourly, noon, 1_000).map((tick) => jitterOf('schedule', tick, 60_000)));
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...delays)).toBeLessThanOrEqual(60_000);
    const halves = delays.filter((delay) => delay < 30_000).length;
    expect(halves).toBeGreaterThan(400);
    expect(halves).toBeLessThan(600);
  });

  test('comes to all of its bounds', () => {
    const delays = new Set(nextTicks(hourly, noon, 50).map((tick) => jitterOf('schedule', tick, 2)));
    expect([...delays].sort()).toEqual([0, 1, 2]);
  });

  test('differs between schedules, and is none where none is asked for', () => {
    const of = (id: string): number => jitterOf(id, noon, 1_000_000);
    expect(new Set(['a', 'b', 'c', 'd'].map(of)).size).toBe(4);
    expect(jitterOf('schedule', noon, 0)).toBe(0);
  });
});
