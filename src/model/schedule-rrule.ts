/** Recurrence rules of RFC 5545: read and checked here, expanded by the package rrule in local time, which knows no zones. */
// oxlint-disable-next-line import/default -- its types describe an ES module, but Node is given CommonJS, whose one export is the default.
import rrule, { type RRule } from 'rrule';
import { BatutaError } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';
import type { LocalRule } from './schedule-local.ts';
import { firstReachable, hasDay } from './schedule-rrule-reach.ts';
import { checkZone, localAt } from './zone.ts';

/** A rule taken apart; times are local (see zone.ts). */
interface Recurrence {
  readonly start: number;
  readonly parts: ReadonlyMap<string, string>;
  readonly until: number | null;
  readonly added: readonly number[];
  readonly excluded: ReadonlySet<number>;
}

const dayMs = 86_400_000;
const frequencies = ['YEARLY', 'MONTHLY', 'WEEKLY', 'DAILY', 'HOURLY', 'MINUTELY', 'SECONDLY'];
const fasterThanDaily = /^(HOURLY|MINUTELY|SECONDLY)$/;
const numbers = (from: number, to: number, signed = false): string => `${signed ? `-${to} to -1 and ` : ''}${from} to ${to}, with commas`;

/** What each part may hold: a check and its words. */
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

/** Rules read before, by zone and text. */
const read = new Map<string, LocalRule>();
const maxRead = 1_000;

/**
 * The rule as lines with DTSTART first, and the zone it is in: that given, else that of DTSTART, else UTC.
 *
 * @param anchor local time that stands in for a missing DTSTART.
 * @throws BatutaError SCHEDULE_INVALID naming the line or part and what it allows, or saying that it never comes.
 */
export function checkRecurrence(
  text: string,
  zone: string | undefined,
  anchor: number | ((timezone: string) => number),
): { readonly rule: string; readonly timezone: string } {
  const lines = linesOf(text);
  const startLine = lines.find(({ name }) => name === 'DTSTART');
  const own = startLine?.zone === undefined ? undefined : checkZone(startLine.zone);
  if (zone !== undefined && own !== undefined && zone.toLowerCase() !== own.toLowerCase()) {
    throw refuse(`The rrule names the time zone ${own} in DTSTART, but ${zone} was given; leave one out.`);
  }
  const timezone = zone ?? own ?? 'UTC';
  if (startLine === undefined) {
    if (lines.some(({ value }) => /(^|;)COUNT=/.test(value))) throw refuse('An rrule with COUNT needs a DTSTART to count from.');
    const local = typeof anchor === 'number' ? anchor : anchor(timezone);
    lines.unshift({ name: 'DTSTART', zone: timezone, value: writeLocal(local) });
  }
  const rule = lines
    .map(({ name, zone: lineZone, value }) => `${name}${lineZone === undefined ? '' : `;TZID=${lineZone}`}:${value}`)
    .join('\n');
  const recurrence = readRecurrence(rule, timezone);
  if (!isReachable(recurrence)) throw refuse(`The rrule '${text}' never comes.`);
  return { rule, timezone };
}

/** A checked rule. HOURLY and faster ones pass over clock changes as a clock does (`each`), the others keep their time of day (`once`). */
export function recurrenceRule(rule: string, timezone: string): LocalRule {
  const key = `${timezone} ${rule}`;
  let made = read.get(key);
  if (made === undefined) {
    made = makeRule(readRecurrence(rule, timezone));
    if (read.size >= maxRead) read.clear();
    read.set(key, made);
  }
  return made;
}

/** A checked rule in words, e.g. `Every week on Friday at 09:00, except 2 times`. */
export function describeRecurrence(rule: string, timezone: string): string {
  const recurrence = readRecurrence(rule, timezone);
  const { start, parts, added, excluded } = recurrence;
  const text = parts.size === 0 ? '' : makeExpander(recurrence, start).toText();
  const keepsTime = parts.size > 0 && !fasterThanDaily.test(parts.get('FREQ') ?? '') && !parts.has('BYHOUR');
  const words = [
    `${text}${keepsTime ? ` at ${new Date(start).toISOString().slice(11, 16)}` : ''}`,
    ...(added.length > 0 ? [`${parts.size > 0 ? 'and ' : ''}at ${added.length} named ${added.length === 1 ? 'time' : 'times'}`] : []),
    ...(excluded.size > 0 ? [`except at ${excluded.size} named ${excluded.size === 1 ? 'time' : 'times'}`] : []),
  ].filter((part) => part !== '');
  const sentence = words.join(', ');
  return `${sentence.slice(0, 1).toUpperCase()}${sentence.slice(1)}`;
}

function makeRule(recurrence: Recurrence): LocalRule {
  const { added, excluded, parts } = recurrence;
  const next = (local: number): number | null => {
    for (let from = local; ; ) {
      const ruled = parts.size === 0 ? null : nextOfRule(recurrence, from);
      const extra = added.find((time) => time >= from) ?? null;
      const found = ruled === null ? extra : extra === null ? ruled : Math.min(ruled, extra);
      if (found === null || !excluded.has(found)) return found;
      from = found + 1_000;
    }
  };
  return { next, across: fasterThanDaily.test(parts.get('FREQ') ?? '') ? 'each' : 'once' };
}

function nextOfRule(recurrence: Recurrence, local: number): number | null {
  return (
    makeExpander(recurrence, startNear(recurrence, local))
      .after(new Date(Math.ceil(local / 1_000) * 1_000), true)
      ?.getTime() ?? null
  );
}

function makeExpander({ parts, until }: Recurrence, start: number): RRule {
  const line = [...parts].filter(([name]) => name !== 'UNTIL').map(([name, value]) => `${name}=${value}`);
  const options = rrule.RRule.parseString(line.join(';'));
  return new rrule.RRule({ ...options, dtstart: new Date(start), until: until === null ? null : new Date(until) }, true);
}

/** A start of the same phase shortly before `local`, for the package counts from the start anew each time. Rules with COUNT have to. */
function startNear({ start, parts }: Recurrence, local: number): number {
  const interval = Number(parts.get('INTERVAL') ?? 1);
  const stepMs =
    interval * ({ WEEKLY: 7 * dayMs, DAILY: dayMs, HOURLY: 3_600_000, MINUTELY: 60_000, SECONDLY: 1_000 }[parts.get('FREQ') ?? ''] ?? 0);
  if (parts.has('COUNT') || local <= start) return start;
  // One step earlier than needed: a week may begin before the day it started on.
  if (stepMs > 0) return start + Math.max(0, Math.floor((local - start) / stepMs) - 1) * stepMs;
  const date = new Date(start);
  if (date.getUTCDate() > 28) return start;
  const months = interval * (parts.get('FREQ') === 'YEARLY' ? 12 : 1);
  const passed = (new Date(local).getUTCFullYear() - date.getUTCFullYear()) * 12 + new Date(local).getUTCMonth() - date.getUTCMonth();
  date.setUTCMonth(date.getUTCMonth() + Math.max(0, Math.floor(passed / months) - 1) * months);
  return date.getTime();
}

/** Asked before the package is, which searches for ever, or to the year 9999, for what there is not. */
function isReachable(recurrence: Recurrence): boolean {
  const { start, parts } = recurrence;
  return hasDay(parts) && firstReachable(start, parts) && makeRule(recurrence).next(start) !== null;
}

interface Line {
  readonly name: string;
  readonly zone: string | undefined;
  readonly value: string;
}

function linesOf(text: string): Line[] {
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

function readRecurrence(rule: string, timezone: string): Recurrence {
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
  const [start = 0] = timesOf('DTSTART');
  return {
    start,
    parts,
    // A date alone means its whole day.
    until: until === undefined ? null : readLocal(until, timezone) + (until.includes('T') ? 0 : dayMs - 1_000),
    added: timesOf('RDATE').sort((a, b) => a - b),
    excluded: new Set(timesOf('EXDATE')),
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

function writeLocal(local: number): string {
  return new Date(local).toISOString().slice(0, 19).replace(/[-:]/g, '');
}

function within(least: number, most: number): (value: string) => boolean {
  return (value) => /^\d{1,6}$/.test(value) && Number(value) >= least && Number(value) <= most;
}

function eachWithin(least: number, most: number, signed = false): (value: string) => boolean {
  const one = within(least, most);
  return (value) => value.split(',').every((number) => one(signed ? number.replace(/^[+-]/, '') : number));
}

function refuse(message: string): BatutaError {
  return new BatutaError('SCHEDULE_INVALID', message);
}
