/** Whether a recurrence rule matches any time at all. */

const unitsADay: ReadonlyMap<string, number> = new Map([
  ['HOURLY', 24],
  ['MINUTELY', 1_440],
  ['SECONDLY', 86_400],
]);

/**
 * Whether the steps of a rule faster than daily ever meet its hours, minutes and seconds.
 *
 * @param start local time of the first step, ms. @param parts checked parts of an RRULE.
 */
export function firstReachable(start: number, parts: ReadonlyMap<string, string>): boolean {
  const units = unitsADay.get(parts.get('FREQ') ?? '');
  if (units === undefined) return true;
  const unitSeconds = 86_400 / units;
  const step = greatestCommonDivisor(Number(parts.get('INTERVAL') ?? 1), units);
  const first = Math.floor((start / 1_000 - Math.floor(start / 86_400_000) * 86_400) / unitSeconds) % step;
  const hours = setOf(parts.get('BYHOUR'));
  const minutes = units >= 1_440 ? setOf(parts.get('BYMINUTE')) : null;
  const seconds = units >= 86_400 ? setOf(parts.get('BYSECOND')) : null;
  for (let unit = first; unit < units; unit += step) {
    const second = unit * unitSeconds;
    const fits =
      (hours?.has(Math.floor(second / 3_600)) ?? true) &&
      (minutes?.has(Math.floor(second / 60) % 60) ?? true) &&
      (seconds?.has(second % 60) ?? true);
    if (fits) return true;
  }
  return false;
}

function setOf(list: string | undefined): ReadonlySet<number> | null {
  return list === undefined ? null : new Set(list.split(',').map(Number));
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
