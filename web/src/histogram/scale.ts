/** Positions of the bars of runs over time. Pure. */
import type { StateType } from '../../../src/model/state.ts';
import type { Bucket } from '../api/wire-types.ts';
import { toneOfType, type Tone } from '../parts/state.ts';

/** One state of one bar, in px from the top. */
export interface Segment {
  readonly tone: Tone;
  readonly y: number;
  readonly height: number;
}

/** One time range. */
export interface Bar {
  readonly fromAt: number;
  /** Exclusive. */
  readonly untilAt: number;
  readonly total: number;
  readonly counts: Readonly<Partial<Record<StateType, number>>>;
  readonly segments: readonly Segment[];
}

/** From the baseline up: failures first, where they are easiest to compare. */
export const stackOrder: readonly StateType[] = [
  'FAILED',
  'CRASHED',
  'CANCELLED',
  'CANCELLING',
  'COMPLETED',
  'RUNNING',
  'PAUSED',
  'PENDING',
  'SCHEDULED',
];

/** A state that occurs is visible, however many others there are. */
const leastPx = 2;

/** From the start of the first bucket to the end of the last, which is as long as the others; epoch ms. */
export function drawnStretch(
  buckets: readonly Bucket[],
  asked: { readonly fromAt: number; readonly untilAt: number },
): { readonly fromAt: number; readonly untilAt: number } {
  const starts = buckets.map(({ startAt }) => Date.parse(startAt));
  const [first, second] = starts;
  const last = starts.at(-1);
  if (first === undefined || second === undefined || last === undefined) return asked;
  return { fromAt: first, untilAt: last + second - first };
}

/** Bars of the buckets in `height` px; the highest fills it. `untilAt` is the end of the last, epoch ms. */
export function layBars(
  buckets: readonly Bucket[],
  height: number,
  untilAt: number,
): { readonly bars: readonly Bar[]; readonly most: number } {
  const totals = buckets.map(({ counts }) => Object.values(counts).reduce((sum, count) => sum + count, 0));
  const most = Math.max(1, ...totals);
  const bars = buckets.map((bucket, index): Bar => {
    const next = buckets[index + 1];
    return {
      fromAt: Date.parse(bucket.startAt),
      untilAt: next === undefined ? untilAt : Date.parse(next.startAt),
      total: totals[index] ?? 0,
      counts: bucket.counts,
      segments: stack(bucket, height, most),
    };
  });
  return { bars, most };
}

function stack({ counts }: Bucket, height: number, most: number): readonly Segment[] {
  const segments: Segment[] = [];
  let y = height;
  for (const type of stackOrder) {
    const count = counts[type] ?? 0;
    if (count === 0) continue;
    const wanted = Math.max(leastPx, (count / most) * height);
    const top = Math.max(0, y - wanted);
    const tone = toneOfType[type];
    const last = segments.at(-1);
    if (last?.tone === tone) segments[segments.length - 1] = { tone, y: top, height: last.height + y - top };
    else segments.push({ tone, y: top, height: y - top });
    y = top;
  }
  return segments;
}

/** Instants for the axis between two others: full minutes, hours or days of the viewer's zone, at most `most` of them. */
export function axisTicks(fromAt: number, untilAt: number, most: number): readonly number[] {
  const length = untilAt - fromAt;
  const step = steps.find((candidate) => length / candidate <= most) ?? steps.at(-1) ?? length;
  const offset = new Date(fromAt).getTimezoneOffset() * 60_000;
  const ticks: number[] = [];
  for (let at = Math.ceil((fromAt - offset) / step) * step + offset; at < untilAt; at += step) ticks.push(at);
  return ticks;
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const steps = [
  minute,
  5 * minute,
  10 * minute,
  15 * minute,
  30 * minute,
  hour,
  2 * hour,
  3 * hour,
  6 * hour,
  12 * hour,
  day,
  2 * day,
  7 * day,
  14 * day,
  30 * day,
];
