/** Cron expressions in plain English, by cronstrue, only if true of every tick. */
import cronstrue from 'cronstrue';
import { shortMonthNames } from './phrases.ts';

/** Fields from seconds to weekdays: their number of values, the first, and whether a step that divides it is evenly spaced. */
const fields = [
  { first: 0, size: 60, isEven: true },
  { first: 0, size: 60, isEven: true },
  { first: 0, size: 24, isEven: true },
  { first: 1, size: 31, isEven: false },
  { first: 1, size: 12, isEven: false },
  { first: 0, size: 7, isEven: false },
] as const;

type Field = (typeof fields)[number];

const months = shortMonthNames.map((name) => name.toUpperCase());
const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** E.g. `At 02:30, only on Monday`; the expression itself if it has no words. */
export function cronWords(expression: string): string {
  const written = `By the cron expression ${expression}`;
  const parts = expression.startsWith('@') ? [expression] : plainParts(expression.split(' '));
  if (parts === null) return written;
  try {
    const words = cronstrue.toString(parts.join(' '), { use24HourTimeFormat: true });
    // "Every 10 minutes, at 09:00 and 17:00" would mean all of hours 9 and 17, "Every second, every 2 minutes" whole minutes.
    const isOdd = words.startsWith('Every') && (/, (every|on the hour)\b/.test(words) || parts.at(-4)?.includes(',') === true);
    // "On day 1 of the month, Monday through Friday" would mean days that are both.
    const isBoth = parts.length > 1 && parts.at(-3) !== '*' && parts.at(-1) !== '*' && !words.includes(', and on ');
    return isOdd || isBoth ? written : words;
  } catch {
    return written;
  }
}

/** The fields as cronstrue puts them into true words, null if it does not. */
function plainParts(written: readonly string[]): readonly string[] | null {
  const parts = written.map((part, at) => plainPart(part, fields[at + fields.length - written.length]));
  // "The first Monday and Friday of the month" would mean the first Friday; with a plus, a day must match both fields.
  const weekdayItems = written.at(-1)?.split(',') ?? [];
  if (written.at(-1)?.startsWith('+') || new Set(weekdayItems.map((item) => /[#L]/i.test(item))).size > 1) return null;
  // A day that fits either field counts, so if one names all, both do.
  const isAll = [-3, -1].some((at) => parts.at(at) === '*' && !/^[*?]$/.test(written.at(at) ?? ''));
  return isAll ? parts.with(-3, '*').with(-1, '*') : parts;
}

/** `*` for all values, each value once, the last day last, and steps that are uneven as their values: "every 7 minutes" restarts each hour. */
function plainPart(written: string, field: Field | undefined): string {
  if (field === undefined) return written;
  const items = written.split(',');
  if (items.some((item) => item === '*' || item === '?')) return '*';
  const named = items.map((item) => valuesOf(item, field));
  const values = named.flatMap((some) => some ?? []);
  const distinct = new Set(values.map((value) => (field.size === 7 ? value % 7 : value)));
  if (distinct.size === field.size) return '*';
  if (named.includes(null)) {
    const last = items.filter((item) => item.toUpperCase() === 'L').slice(0, 1);
    return [...new Set(items.filter((item) => item.toUpperCase() !== 'L').map((item) => evenItem(item, field))), ...last].join(',');
  }
  if (distinct.size < values.length) return [...distinct].sort((a, b) => a - b).join(',');
  return items.map((item) => evenItem(item, field)).join(',');
}

/** `*\/10` as it is, if evenly spaced; other steps as their values. */
function evenItem(item: string, field: Field): string {
  const [, range = '', step = ''] = /^(.*)\/(\d+)$/.exec(item) ?? [];
  if (step === '' || (range === '*' && field.isEven && field.size % Number(step) === 0)) return item;
  return valuesOf(item, field)?.join(',') ?? item;
}

/** Values of a number, a range or a step; null for those that depend on the month, such as `15W`. */
function valuesOf(item: string, { first, size }: Field): readonly number[] | null {
  const [, range = '', step = '1'] = /^([^/]*)(?:\/(\d+))?$/.exec(item) ?? [];
  const [from = Number.NaN, until = from] = range === '*' ? [first, first + size - 1] : range.split('-').map(numberOf);
  if (Number.isNaN(from) || Number.isNaN(until)) return null;
  const values: number[] = [];
  // In `FRI-SUN`, Sunday is 7.
  for (let value = from; value <= (size === 7 && until < from ? until + 7 : until); value += Number(step)) values.push(value);
  return values;
}

/** Of a number, or a month or day name. */
function numberOf(text: string): number {
  const name = text.toUpperCase();
  if (months.includes(name)) return months.indexOf(name) + 1;
  return weekdays.includes(name) ? weekdays.indexOf(name) : text === '' ? Number.NaN : Number(text);
}
