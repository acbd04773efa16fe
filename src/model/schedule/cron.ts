/** Cron expressions: checked field by field, computed by croner. */
import { Cron, CronPattern } from 'croner';
import { BatutaError } from '../../base/errors.ts';
import { hintFor } from '../../base/nearest.ts';
import { cutText } from '../../base/cut-text.ts';
import { remembered } from '../remembered.ts';
import { nextPlain, plainCron } from './cron-plain.ts';

interface Field {
  readonly name: string;
  readonly allowed: string;
}

const common = '* for any, lists 1,5, ranges 1-5, steps */2 or 1-9/2';
const fields: readonly Field[] = [
  { name: 'second', allowed: `0 to 59, ${common}` },
  { name: 'minute', allowed: `0 to 59, ${common}` },
  { name: 'hour', allowed: `0 to 23, ${common}` },
  { name: 'day of month', allowed: `1 to 31, L for the last, LW for the last weekday, 15W for the weekday nearest the 15th, ${common}` },
  { name: 'month', allowed: `1 to 12, JAN to DEC, ${common}` },
  { name: 'day of week', allowed: `0 to 7 (0 and 7 are Sunday), SUN to SAT, FRI#2 for the second, FRIL for the last, ${common}` },
];
const nicknames = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];

/** Longest expression shown in full if its fields cannot be counted. */
const maxShown = 80;
/** A compiled pattern has a table of 10,000 years, so only some are kept: about 20 MB at most. */
const compile = remembered(
  256,
  (expression: string, timezone: string) => new Cron(expression, { timezone, mode: '5-or-6-parts', fixedTimeRule: 'no-wildcard' }),
);
/** Plain ones are small. */
const plainOf = remembered(5_000, (expression: string) => plainCron(pattern(expression)));

/**
 * The expression with single spaces, if valid: 5 fields, 6 with seconds first, or a nickname such as `@daily`.
 *
 * @throws BatutaError SCHEDULE_INVALID naming the field and what it allows, or saying that it never ticks
 */
export function checkCron(expression: string): string {
  const text = expression.trim().replace(/\s+/g, ' ');
  if (text.startsWith('@')) return checkNickname(text);
  const parts = text === '' ? [] : text.split(' ');
  if (parts.length !== 5 && parts.length !== 6) {
    throw refuse(
      expression,
      `The cron expression '${cutText(expression, maxShown)}' has ${parts.length === 1 ? '1 field' : `${parts.length} fields`}; it takes 5 (minute, hour, day of month, month, day of week) or 6 (with second first).${parts.length > 6 ? ' Put it in quotes, so that the shell leaves the * alone.' : ''}`,
    );
  }
  const skipped = fields.length - parts.length;
  for (const [at, part] of parts.entries()) checkField(expression, part, at + skipped, at + 1);
  if (!isPattern(text)) throw refuse(expression, `The cron expression '${expression}' is not understood.`);
  if (nextCron(text, 'UTC', 0) === null)
    throw refuse(expression, `The cron expression '${expression}' never comes: no year has such a day.`);
  return text;
}

/**
 * First tick of a checked expression in the zone after `instant` (UTC epoch ms), null if there is none before the year 3000.
 *
 * If none of second, minute and hour holds `*` or a step, a time in the spring gap moves to its end, and one that occurs twice in autumn
 * counts once. Other expressions skip the gap and count the repeated hour twice.
 */
export function nextCron(expression: string, timezone: string, instant: number): number | null {
  const plain = plainOf(expression);
  const found = plain === null ? undefined : nextPlain(plain, timezone, instant);
  return found !== undefined ? found : (compile(expression, timezone).nextRun(new Date(instant))?.getTime() ?? null);
}

/** Whether a time in the gap moves and a repeated one counts once; see `nextCron`. */
export function isFixedTime(expression: string): boolean {
  return pattern(expression).isFixedTime;
}

function checkNickname(text: string): string {
  const name = text.toLowerCase();
  if (nicknames.includes(name)) return name;
  throw refuse(text, `There is no cron expression '${text}'.${hintFor(name, nicknames, 'There are')}`);
}

function checkField(expression: string, part: string, at: number, position: number): void {
  const alone = fields.map((_, other) => (other === at ? part : '*')).join(' ');
  const field = fields[at];
  if (field === undefined || isPattern(alone)) return;
  throw refuse(
    expression,
    `Field ${position} (${field.name}) of the cron expression '${expression}' cannot be '${part}'; allowed are ${field.allowed}.`,
    field.name,
  );
}

function isPattern(text: string): boolean {
  try {
    return pattern(text) !== undefined;
  } catch {
    return false;
  }
}

function pattern(text: string): CronPattern {
  return new CronPattern(text, undefined, { mode: '5-or-6-parts', fixedTimeRule: 'no-wildcard' });
}

function refuse(expression: string, message: string, field?: string): BatutaError {
  return new BatutaError('SCHEDULE_INVALID', message, { details: { cron: expression, ...(field === undefined ? {} : { field }) } });
}
