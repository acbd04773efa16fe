/** Reads recurrence rules of RFC 5545, section 3.3.10, and checks each part alone. */
import { BatutaError } from '../../base/errors.ts';
import { hintFor } from '../../base/nearest.ts';
import { localAt } from './zone.ts';

/** A parsed rule; times are local (see zone.ts). */
export interface Recurrence {
  readonly start: number;
  readonly parts: ReadonlyMap<string, string>;
  readonly until: number | null;
  readonly added: readonly number[];
  /** Times, and the midnights of whole days. */
  readonly excluded: { readonly times: ReadonlySet<number>; readonly days: ReadonlySet<number> };
}

const dayMs = 86_400_000;
const frequencies = ['YEARLY', 'MONTHLY', 'WEEKLY', 'DAILY', 'HOURLY', 'MINUTELY', 'SECONDLY'];
const numbers = (from: number, to: number, signed = false): string => `${signed ? `-${to} to -1 and ` : ''}${from} to ${to}, with commas`;

/** Values of each part: a check and its words. */
const allowedParts: Readonly<Record<string, readonly [(value: string) => boolean, string]>> = {
  FREQ: [(value) => frequencies.includes(value), frequencies.join(', ')],
  INTERVAL: [within(1, 100_000), 'a whole number from 1 to 100000'],
  COUNT: [within(1, 100_000), 'a whole number from 1 to 100000'],
  UNTIL: [(value) => !Number.isNaN(readLocal(value, 'UTC')), 'a time such as 20261231T235959Z'],
  BYSECOND: [eachWithin(0, 59), numbers(0, 59)],
  BYMINUTE: [eachWithin(0, 59), numbers(0, 59)],
  BYHOUR: [eachWithin(0, 23), numbers(0, 23)],
  BYDAY: [
    (value) => /^([+-]?([1-9]|[1-4]\d|5[0-3]))?(MO|TU|WE|TH|FR|SA|SU)(,([+-]?([1-9]|[1-4]\d|5[0-3]))?(MO|TU|WE|TH|FR|SA|SU))*$/.test(value),
    'MO to SU, 2FR for the second, -1FR for the last, with commas',
  ],
  BYMONTHDAY: [eachWithin(1, 31, true), numbers(1, 31, true)],
  BYYEARDAY: [eachWithin(1, 366, true), numbers(1, 366, true)],
  BYWEEKNO: [eachWithin(1, 53, true), numbers(1, 53, true)],
  BYMONTH: [eachWithin(1, 12), numbers(1, 12)],
  BYSETPOS: [eachWithin(1, 366, true), numbers(1, 366, true)],
  WKST: [(value) => /^(MO|TU|WE|TH|FR|SA|SU)$/.test(value), 'MO to SU'],
};

/** One line as written, upper case except the zone. */
export interface Line {
  readonly name: string;
  readonly zone: string | undefined;
  readonly value: string;
}

/** The lines of a text, at least one of them RRULE or RDATE. @throws BatutaError SCHEDULE_INVALID */
export function linesOf(text: string): Line[] {
  const unfolded = text
    .replace(/\r?\n[ \t](?=\S)(?![A-Z]+[;:])/g, '')
    .replace(/\\n/g, '\n')
    .trim();
  const lines = unfolded
    .split(/\s+/)
    .filter((line) => line !== '')
    .map((line) => readLine(/^[A-Za-z-]+=/.test(line) ? `RRULE:${line}` : line));
  const count = (name: string): number => lines.filter((line) => line.name === name).length;
  if (count('RRULE') + count('RDATE') === 0)
    throw refuse(`The rrule '${text}' has no rule; write for example 'FREQ=WEEKLY;BYDAY=MO;BYHOUR=9;BYMINUTE=0;BYSECOND=0'.`);
  for (const name of ['RRULE', 'DTSTART']) if (count(name) > 1) throw refuse(`The rrule has ${count(name)} lines ${name}; it takes one.`);
  return lines;
}

function readLine(line: string): Line {
  const [, name = '', options = '', value = ''] = /^([A-Za-z-]+)((?:;[^:]*)?):(.*)$/.exec(line) ?? [];
  const known = ['DTSTART', 'RRULE', 'RDATE', 'EXDATE'];
  if (!known.includes(name.toUpperCase())) throw refuse(`'${line}' is no line of an rrule.${hintFor(name, known, 'There are')}`);
  const zone = /;TZID=([^;]+)/i.exec(options)?.[1];
  return { name: name.toUpperCase(), zone, value: value.toUpperCase() };
}

/** Parses lines and checks every part. @throws BatutaError SCHEDULE_INVALID naming the part and what it allows. */
export function readRecurrence(rule: string, timezone: string): Recurrence {
  const lines = linesOf(rule);
  const timesOf = (wanted: string): number[] =>
    lines
      .filter(({ name }) => name === wanted)
      .flatMap(({ name, value, zone }) => value.split(',').map((time) => checkTime(name, time, zone, timezone)));
  const parts = new Map<string, string>();
  for (const part of lines.find(({ name }) => name === 'RRULE')?.value.split(';') ?? []) if (part !== '') readPart(part, parts);
  if (parts.size > 0 && !parts.has('FREQ')) throw refuse(`The rrule has no FREQ; it must be one of ${frequencies.join(', ')}.`);
  if (parts.has('COUNT') && parts.has('UNTIL')) throw refuse('The rrule takes COUNT or UNTIL, not both.');
  if (parts.has('BYSETPOS') && !/^(YEAR|MONTH|WEEK)LY$/.test(parts.get('FREQ') ?? ''))
    throw refuse('BYSETPOS of an rrule needs FREQ YEARLY, MONTHLY or WEEKLY.');
  const until = parts.get('UNTIL');
  const excluded = lines
    .filter(({ name }) => name === 'EXDATE')
    .flatMap(({ value, zone }) => value.split(',').map((text) => ({ text, zone })))
    // As with UNTIL, a date alone means its whole day.
    .map(({ text, zone }) => ({ local: checkTime('EXDATE', text, zone, timezone), isDay: !text.includes('T') }));
  const [start = 0] = timesOf('DTSTART');
  return {
    start,
    parts,
    // A date alone means its whole day.
    until: until === undefined ? null : readLocal(until, timezone) + (until.includes('T') ? 0 : dayMs - 1_000),
    added: timesOf('RDATE').sort((a, b) => a - b),
    excluded: {
      times: new Set(excluded.filter(({ isDay }) => !isDay).map(({ local }) => local)),
      days: new Set(excluded.filter(({ isDay }) => isDay).map(({ local }) => local)),
    },
  };
}

function readPart(part: string, parts: Map<string, string>): void {
  const [name = '', value = ''] = part.split('=');
  const allowed = Object.hasOwn(allowedParts, name) ? allowedParts[name] : undefined;
  if (allowed === undefined) throw refuse(`'${name}' is no part of an rrule.${hintFor(name, Object.keys(allowedParts), 'There are')}`);
  if (!allowed[0](value)) throw refuse(`${name} of the rrule cannot be '${value}'; allowed are ${allowed[1]}.`);
  if (parts.has(name)) throw refuse(`The rrule has ${name} twice.`);
  parts.set(name, value);
}

function checkTime(name: string, text: string, zone: string | undefined, timezone: string): number {
  if (zone !== undefined && zone.toLowerCase() !== timezone.toLowerCase()) {
    throw refuse(`${name} is in ${zone}, but the schedule in ${timezone}; write it in that zone, or in UTC with a Z.`);
  }
  const local = readLocal(text, timezone);
  if (Number.isNaN(local)) throw refuse(`${name} of the rrule cannot be '${text}'; write a time such as 20260301T090000.`);
  return local;
}

/** Local time of `20260301`, `20260301T090000` or `20260301T090000Z`; NaN for anything else. */
function readLocal(text: string, timezone: string): number {
  const [, year, month, day, hour = '00', minute = '00', second = '00', utc] =
    /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z)?)?$/.exec(text) ?? [];
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(time) || new Date(time).getUTCDate() !== Number(day) || Number(year) < 1970 || Number(year) > 2999) return Number.NaN;
  return utc === undefined ? time : localAt(timezone, time);
}

function within(least: number, most: number): (value: string) => boolean {
  return (value) => /^\d{1,6}$/.test(value) && Number(value) >= least && Number(value) <= most;
}

function eachWithin(least: number, most: number, signed = false): (value: string) => boolean {
  const one = within(least, most);
  return (value) => value.split(',').every((number) => one(signed ? number.replace(/^[+-]/, '') : number));
}

/** An error about a recurrence rule. */
export function refuse(message: string): BatutaError {
  return new BatutaError('SCHEDULE_INVALID', message);
}
