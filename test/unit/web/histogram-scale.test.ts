import { expect, test } from 'vitest';
import { axisTicks, drawnStretch, layBars } from '../../../web/src/histogram/scale.ts';

const at = (hour: number): string => new Date(Date.UTC(2026, 10, 22, hour)).toISOString();
const buckets = [
  { startAt: at(0), counts: { COMPLETED: 1000, FAILED: 1 } },
  { startAt: at(1), counts: {} },
  { startAt: at(2), counts: { RUNNING: 10, CANCELLED: 5, CANCELLING: 5 } },
];

test('the highest bar fills the height, and one failure among a thousand is still seen, on the ground line', () => {
  const { bars, most } = layBars(buckets, 100, Date.parse(at(3)));
  expect(most).toBe(1001);
  const [failed, completed] = bars[0]?.segments ?? [];
  expect(failed).toEqual({ tone: 'failed', y: 98, height: 2 });
  expect(completed?.tone).toBe('completed');
  expect(completed?.y).toBeGreaterThanOrEqual(0);
});

test('states of one tone are one segment, an empty stretch has none', () => {
  const { bars } = layBars(buckets, 100, Date.parse(at(3)));
  expect(bars[1]).toMatchObject({ total: 0, segments: [] });
  expect(bars[2]?.segments.map(({ tone }) => tone)).toEqual(['cancelled', 'running']);
  expect(bars[2]?.total).toBe(20);
});

test('bars follow each other without gaps, and the last is as long as the others', () => {
  const asked = { fromAt: Date.parse(at(0)) + 60_000, untilAt: Date.parse(at(2)) + 60_000 };
  const drawn = drawnStretch(buckets, asked);
  expect(drawn).toEqual({ fromAt: Date.parse(at(0)), untilAt: Date.parse(at(3)) });
  const { bars } = layBars(buckets, 100, drawn.untilAt);
  expect(bars.map(({ fromAt, untilAt }) => untilAt - fromAt)).toEqual([3_600_000, 3_600_000, 3_600_000]);
  expect(drawnStretch([], asked)).toEqual(asked);
});

test('the axis has round times, and no more of them than there is room for', () => {
  const ticks = axisTicks(Date.UTC(2026, 10, 22, 0, 7), Date.UTC(2026, 10, 23, 0, 7), 8);
  expect(ticks.length).toBeGreaterThan(3);
  expect(ticks.length).toBeLessThanOrEqual(8);
  expect(ticks.every((tick) => new Date(tick).getMinutes() === 0)).toBe(true);
});
