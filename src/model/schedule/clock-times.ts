/** Times of day from all combinations of hours, minutes and seconds; computed, never listed. In seconds of the day. */

export interface ClockTimes {
  readonly count: number;
  /** The first at or after `second`, null if the day has no more. */
  next(second: number): number | null;
  /** The one at index `place`. */
  nth(place: number): number;
}

/** Numbers in any order; null: all. */
interface ClockParts {
  readonly hours: readonly number[] | null;
  readonly minutes: readonly number[] | null;
  readonly seconds: readonly number[] | null;
}

export function clockTimes(parts: ClockParts): ClockTimes {
  const hours = nextTable(24, parts.hours);
  const minutes = nextTable(60, parts.minutes);
  const seconds = nextTable(60, parts.seconds);
  const join = (hour: number | null, minute: number | null, second: number | null): number | null =>
    hour === null || minute === null || second === null ? null : hour * 3_600 + minute * 60 + second;
  return {
    count: hours.values.length * minutes.values.length * seconds.values.length,
    nth(place) {
      const minute = Math.floor(place / seconds.values.length);
      const hour = Math.floor(minute / minutes.values.length);
      return (
        (hours.values[hour] ?? 0) * 3_600 +
        (minutes.values[minute % minutes.values.length] ?? 0) * 60 +
        (seconds.values[place % seconds.values.length] ?? 0)
      );
    },
    next(time) {
      const [hour, minute, second] = [Math.floor(time / 3_600), Math.floor(time / 60) % 60, time % 60];
      if (hours.next(hour) === hour) {
        if (minutes.next(minute) === minute) {
          const within = seconds.next(second);
          if (within !== null) return join(hour, minute, within);
        }
        const later = minutes.next(minute + 1);
        if (later !== null) return join(hour, later, seconds.next(0));
      }
      return join(hours.next(hour + 1), minutes.next(0), seconds.next(0));
    },
  };
}

/** The allowed numbers below `size` in order, all if none are given, and for each number the next allowed from it on. */
function nextTable(
  size: number,
  given: readonly number[] | null,
): { next(from: number): number | null; readonly values: readonly number[] } {
  const values = given === null ? Array.from({ length: size }, (_, at) => at) : [...new Set(given)].sort((a, b) => a - b);
  const table: (number | null)[] = [];
  for (let at = size, next: number | null = null; at >= 0; at--) {
    if (values.includes(at)) next = at;
    table[at] = next;
  }
  return { next: (from) => table[from] ?? null, values };
}
