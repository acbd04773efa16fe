/** Random recurrence rules as RFC 5545 allows them, the same for the same seed. */

/** A rule with DTSTART in UTC, and the instant its next ticks are asked from, epoch seconds. */
export interface RandomRule {
  readonly rule: string;
  readonly from: number;
}

const frequencies = ['YEARLY', 'MONTHLY', 'WEEKLY', 'DAILY', 'HOURLY', 'MINUTELY', 'SECONDLY'] as const;
const weekdays = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];
const daySeconds = 86_400;
const january2019 = Date.UTC(2019, 0, 1) / 1_000;

/** How far from DTSTART ticks are asked for, seconds: python-dateutil walks there from DTSTART. */
const reach = {
  YEARLY: 4_000 * daySeconds,
  MONTHLY: 4_000 * daySeconds,
  WEEKLY: 2_000 * daySeconds,
  DAILY: 1_000 * daySeconds,
  HOURLY: 400 * daySeconds,
  MINUTELY: 20 * daySeconds,
  SECONDLY: daySeconds,
};

export function randomRules(seed: number, count: number): readonly RandomRule[] {
  const dice = diceOf(seed);
  return Array.from({ length: count }, () => randomRule(dice));
}

type Dice = ReturnType<typeof diceOf>;

/** mulberry32 */
function diceOf(seed: number) {
  let state = seed >>> 0;
  const random = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (from: number, to: number): number => from + Math.floor(random() * (to - from + 1));
  return {
    int,
    chance: (share: number): boolean => random() < share,
    pick: <T>(list: readonly T[]): T => list[int(0, list.length - 1)] as T,
    list: (most: number, make: () => number | string): string => [...new Set(Array.from({ length: int(1, most) }, make))].join(','),
  };
}

function randomRule(dice: Dice): RandomRule {
  const { int, chance, pick, list } = dice;
  const frequency = pick(frequencies);
  const isLong = frequency === 'YEARLY' || frequency === 'MONTHLY';
  const parts: string[] = [`FREQ=${frequency}`];
  if (chance(0.6)) parts.push(`INTERVAL=${chance(0.8) ? int(1, 12) : int(1, frequency === 'YEARLY' ? 5 : 1_500)}`);
  const weekStart = chance(0.3) ? pick(weekdays) : 'MO';
  if (weekStart !== 'MO') parts.push(`WKST=${weekStart}`);

  if (chance(0.3)) parts.push(`BYMONTH=${list(4, () => int(1, 12))}`);
  if (frequency === 'YEARLY' && chance(0.2)) parts.push(`BYWEEKNO=${list(3, () => int(1, 53))}`);
  if (frequency === 'YEARLY' && chance(0.15)) parts.push(`BYYEARDAY=${list(4, () => pick([int(1, 366), -int(1, 366)]))}`);
  if (frequency !== 'WEEKLY' && chance(0.3)) parts.push(`BYMONTHDAY=${list(3, () => pick([int(1, 31), -int(1, 31)]))}`);
  const byWeek = parts.some((part) => part.startsWith('BYWEEKNO'));
  // dateutil wants a day to be both, where 2FR and MO stand together; the RFC either.
  if (chance(0.4)) {
    const places = isLong && !byWeek && chance(0.5) ? () => pick([int(1, 5), -int(1, 5)]) : () => '';
    parts.push(`BYDAY=${list(3, () => `${places()}${pick(weekdays)}`)}`);
  }
  if (chance(0.4)) parts.push(`BYHOUR=${list(3, () => int(0, 23))}`);
  if (chance(0.3)) parts.push(`BYMINUTE=${list(3, () => int(0, 59))}`);
  if (chance(0.2)) parts.push(`BYSECOND=${list(3, () => int(0, 59))}`);
  const hasPlaces = (isLong || frequency === 'WEEKLY') && parts.some((part) => /^BY(DAY|MONTHDAY|HOUR|MONTH)=/.test(part)) && chance(0.25);
  if (hasPlaces) parts.push(`BYSETPOS=${list(2, () => pick([int(1, 4), -int(1, 4)]))}`);

  let start = january2019 + int(0, 5 * 365) * daySeconds + (chance(0.5) ? int(0, daySeconds - 1) : int(0, 23) * 3_600);
  // dateutil takes the places of the first week from DTSTART on; the RFC from its beginning.
  if (hasPlaces && frequency === 'WEEKLY') while (weekdays[weekdayOf(start)] !== weekStart) start += daySeconds;
  const from = start + int(-daySeconds, reach[frequency]);
  const isCounted = chance(0.15);
  if (isCounted) parts.push(`COUNT=${int(1, 300)}`);
  else if (chance(0.15)) parts.push(`UNTIL=${textOf(start + int(0, reach[frequency] * 2))}`);
  return { rule: `DTSTART:${textOf(start)}\nRRULE:${parts.join(';')}`, from };
}

function weekdayOf(second: number): number {
  return (new Date(second * 1_000).getUTCDay() + 6) % 7;
}

function textOf(second: number): string {
  return new Date(second * 1_000).toISOString().slice(0, 19).replace(/[-:]/g, '');
}
