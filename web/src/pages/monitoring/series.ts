/** Figures of the last 15 minutes, as far as this tab has polled them. Pure. */

/** One figure at one moment. */
export interface Point {
  /** Epoch ms. */
  readonly at: number;
  readonly value: number;
}

/** Longest, and shortest, time shown, ms. */
export const shownMs = 15 * 60_000;
const leastMs = 60_000;

/** The points with one more; too old ones are dropped, and one of the same moment replaces the last. */
export function withPoint(points: readonly Point[], point: Point): readonly Point[] {
  const last = points.at(-1);
  const kept = points.filter(({ at }) => at > point.at - shownMs);
  return last !== undefined && last.at >= point.at ? [...kept.slice(0, -1), point] : [...kept, point];
}

/** A line, `width` by `height` px, 0 at the bottom; spans at least a minute, with the newest point at the right. '' without points. */
export function linePath(points: readonly Point[], width: number, height: number): string {
  const [first] = points;
  const newest = points.at(-1);
  if (first === undefined || newest === undefined) return '';
  const most = Math.max(...points.map(({ value }) => value));
  const stretchMs = Math.max(leastMs, newest.at - first.at);
  const x = (at: number): number => width * (1 - (newest.at - at) / stretchMs);
  const y = (value: number): number => (most === 0 ? height : height - (value / most) * height);
  const steps = points.map(({ at, value }) => `${round(x(at))},${round(y(value))}`);
  // A single point is a short line, so that it is visible.
  return points.length === 1 ? `M${round(width - 4)},${round(y(newest.value))} L${steps[0]}` : `M${steps.join(' L')}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
