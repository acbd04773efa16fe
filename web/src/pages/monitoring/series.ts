/** What figures were in the last quarter of an hour, as far as this tab has asked for them. Pure. */

/** One figure at one moment. */
export interface Point {
  /** Epoch ms. */
  readonly at: number;
  readonly value: number;
}

/** How far back is shown at most, and at least, ms. */
export const shownMs = 15 * 60_000;
const leastMs = 60_000;

/** The points with one more; those that are too old are dropped, and one of the same moment takes the place of the last. */
export function withPoint(points: readonly Point[], point: Point): readonly Point[] {
  const last = points.at(-1);
  const kept = points.filter(({ at }) => at > point.at - shownMs);
  return last !== undefined && last.at >= point.at ? [...kept.slice(0, -1), point] : [...kept, point];
}

/** A line from the left to the right edge, `width` by `height` px, 0 at the bottom; it spans what there is, a minute at least, and the newest point is at the right. Empty for no points. */
export function linePath(points: readonly Point[], width: number, height: number): string {
  const [first] = points;
  const newest = points.at(-1);
  if (first === undefined || newest === undefined) return '';
  const most = Math.max(...points.map(({ value }) => value));
  const stretchMs = Math.max(leastMs, newest.at - first.at);
  const x = (at: number): number => width * (1 - (newest.at - at) / stretchMs);
  const y = (value: number): number => (most === 0 ? height : height - (value / most) * height);
  const steps = points.map(({ at, value }) => `${round(x(at))},${round(y(value))}`);
  // One point alone is a short line, so that it can be seen.
  return points.length === 1 ? `M${round(width - 4)},${round(y(newest.value))} L${steps[0]}` : `M${steps.join(' L')}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
