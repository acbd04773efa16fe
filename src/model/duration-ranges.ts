/**
 * Durations by ranges, so that sums over many runs can be combined and still yield a median: each range is 5 % longer than the one before,
 * and a percentile read from them is at most 2.5 % off. Pure.
 */

/** Number of durations in each range, by range number. */
export type Durations = ReadonlyMap<number, number>;

/** Ranges per factor of e: `ln(1.05)`, inverted. The range of a duration over 1 ms is the whole part of its logarithm times this. */
export const rangesPerE = 20.495934314287851;

/** The duration in the middle of a range, ms. */
function middleOf(range: number): number {
  const lowest = Math.exp(range / rangesPerE);
  return Math.sqrt(lowest * Math.exp((range + 1) / rangesPerE));
}

/**
 * Percentiles of durations, whole ms, at most 2.5 % (and 1 ms) off; null if there are none.
 *
 * @param shares from 0 to 1, e.g. 0.5 for the median
 */
export function percentilesOf(durations: Durations, shares: readonly number[]): (number | null)[] {
  const ranges = [...durations].sort(([left], [right]) => left - right);
  const total = ranges.reduce((sum, [, count]) => sum + count, 0);
  return shares.map((share) => {
    let left = Math.max(1, Math.ceil(total * share));
    for (const [range, count] of ranges) {
      left -= count;
      if (left <= 0) return Math.round(middleOf(range));
    }
    return null;
  });
}

/** Adds durations to others. */
export function addDurations(sum: Map<number, number>, durations: Durations): void {
  for (const [range, count] of durations) sum.set(range, (sum.get(range) ?? 0) + count);
}
