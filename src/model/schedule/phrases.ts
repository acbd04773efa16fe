/** Phrases for sentences about schedules. */

export const weekdayNames: readonly string[] = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
export const monthNames: readonly string[] = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

/** `Jan` to `Dec`. */
export const shortMonthNames: readonly string[] = monthNames.map((name) => name.slice(0, 3));

/** `a`, `a and b`, `a, b and c`. */
export function joinWords(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** `day`, `3 days`. */
export function countFrom(count: number, unit: string): string {
  return count === 1 ? unit : `${count} ${unit}s`;
}

/** `1st`, `22nd`, `13th`. */
export function nthText(number: number): string {
  const last = number % 100 >= 11 && number % 100 <= 13 ? 0 : number % 10;
  return `${number}${{ 1: 'st', 2: 'nd', 3: 'rd' }[last] ?? 'th'}`;
}

/** Seconds of a day as `09:30`, with seconds only if not 0. */
export function timeOfDayText(second: number): string {
  const text = new Date(second * 1_000).toISOString().slice(11, 19);
  return text.endsWith(':00') ? text.slice(0, 5) : text;
}

/** A local time as `2026-03-01`. */
export function dateText(local: number): string {
  return new Date(local).toISOString().slice(0, 10);
}

/** The time of day of a local time, like `timeOfDayText`. */
export function timeText(local: number): string {
  return timeOfDayText(Math.floor(local / 1_000) % 86_400);
}
