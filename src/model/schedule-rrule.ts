/** Recurrence rules of RFC 5545: expanded by the package rrule in local time, which knows no zones. */
// oxlint-disable-next-line import/default -- its types describe an ES module, but Node is given CommonJS, whose one export is the default.
import rrule, { type RRule } from 'rrule';
import type { LocalRule } from './schedule-local.ts';
import { linesOf, type Recurrence, readRecurrence, refuse } from './schedule-rrule-read.ts';
import { firstReachable, hasDay } from './schedule-rrule-reach.ts';
import { checkZone } from './zone.ts';

const dayMs = 86_400_000;
const fasterThanDaily = /^(HOURLY|MINUTELY|SECONDLY)$/;
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

function writeLocal(local: number): string {
  return new Date(local).toISOString().slice(0, 19).replace(/[-:]/g, '');
}
