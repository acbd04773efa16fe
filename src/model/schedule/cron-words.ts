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
  const parts = expression.startsWith('@') ? [expression] : evenParts(expression.split(' '));
  try {
    const words = cronstrue.toString(parts.join(' '), { use24HourTimeFormat: true });
    // "Every 10 minutes, at 09:00 and 17:00" would mean all of hours 9 and 17, "Every second, every 2 minutes" whole minutes.
    const isOdd = words.startsWith('Every') && (/, (every|on the hour)\b/.test(words) || parts.at(-4)?.includes(',') === true);
    return isOdd ? written : words;
  } catch {
    return written;
  }
}

function evenParts(written: readonly string[]): readonly string[] {
  const parts = written.map((part, at) => withEvenSteps(part, fields[at + fields.length - written.length]));
  // A day that fits either field counts, so if one is all, both are.
  const days = [written.at(-3), written.at(-1)];
  return days.some((part) => part?.split(',').includes('*/1')) ? parts.with(-3, '*').with(-1, '*') : parts;
}

/** "Every 7 minutes" is untrue of `*\/7`, which restarts each hour: such steps are written as their values. */
function withEvenSteps(part: string, field: Field | undefined): string {
  return field === undefined
    ? part
    : part
        .split(',')
        .map((item) => evenItem(item, field))
        .join(',');
}

function evenItem(item: string, { first, size, isEven }: Field): string {
  const [, range = '', step = ''] = /^(.*)\/(\d+)$/.exec(item) ?? [];
  if (step === '') return item;
  const by = Number(step);
  if (by === 1 && range === '*') return '*';
  if (range === '*' && isEven && size % by === 0) return item;
  const [from, until] = range === '*' ? [first, first + size - 1] : range.split('-').map(numberOf);
  if (from === undefined || Number.isNaN(from) || Number.isNaN(until)) return item;
  const values: number[] = [];
  for (let value = from; value <= (until ?? first + size - 1); value += by) values.push(value);
  return values.join(',');
}

/** Of a number, or a month or day name. */
function numberOf(text: string): number {
  const name = text.toUpperCase();
  if (months.includes(name)) return months.indexOf(name) + 1;
  return weekdays.includes(name) ? weekdays.indexOf(name) : Number(text);
}
