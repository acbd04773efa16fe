/** Recurrence rules of RFC 5545, in local time, without zones; our own, because libraries go through every tick (docs/decisions/0008). */
import { BatutaError } from '../../base/errors.ts';
import { remembered } from '../remembered.ts';
import type { LocalRule } from './local-rule.ts';
import { expandRule, lowerBound } from './rrule-expand.ts';
import { linesOf, type Recurrence, readRecurrence, refuse } from './rrule-read.ts';
import { firstReachable } from './rrule-reach.ts';
import { recurrenceWords } from './rrule-words.ts';
import { checkZone } from './zone.ts';

const fasterThanDaily = /^(HOURLY|MINUTELY|SECONDLY)$/;
const dayMs = 86_400_000;
/** Most times in RDATE and EXDATE together. */
const maxNamedTimes = 2_000;

/**
 * The rule as lines with DTSTART first, and its zone: the given one, else that of DTSTART, else UTC.
 *
 * @param anchor local time that replaces a missing DTSTART
 * @throws BatutaError SCHEDULE_INVALID naming the line or part and what it allows, or saying that it never ticks; SCHEDULE_TOO_COSTLY
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
  refuseStray(recurrence);
  const isReachable = firstReachable(recurrence.start, recurrence.parts) && makeRule(recurrence).next(recurrence.start) !== null;
  if (!isReachable) throw refuse(`The rrule '${text}' never comes.`);
  return { rule, timezone };
}

/** A checked rule. HOURLY and faster ones follow the clock across changes (`each`), others keep their time of day (`once`). */
export const recurrenceRule = remembered(2_000, (rule: string, timezone: string) => makeRule(readRecurrence(rule, timezone)));

/** Refuses rules that were once accepted but are misleading or too slow. */
function refuseStray({ parts, added, excluded }: Recurrence): void {
  if (/\d/.test(parts.get('BYDAY') ?? '') && !/^(YEAR|MONTH)LY$/.test(parts.get('FREQ') ?? ''))
    throw refuse('BYDAY of an rrule takes a number, such as 2FR, only with FREQ MONTHLY or YEARLY.');
  if (added.length + excluded.times.size + excluded.days.size > maxNamedTimes)
    throw new BatutaError(
      'SCHEDULE_TOO_COSTLY',
      `RDATE and EXDATE of the rrule name more than ${maxNamedTimes.toLocaleString('en')} times.`,
    );
}

/** A checked rule in words; see `recurrenceWords`. */
export function describeRecurrence(rule: string, timezone: string): string {
  return recurrenceWords(readRecurrence(rule, timezone), timezone);
}

function makeRule(recurrence: Recurrence): LocalRule {
  const { added, excluded, parts } = recurrence;
  const nextOfRule = parts.size === 0 ? () => null : expandRule(recurrence);
  const next = (local: number): number | null => {
    for (let from = local; ; ) {
      const ruled = nextOfRule(from);
      const extra = added[lowerBound(added, from)] ?? null;
      const found = ruled === null ? extra : extra === null ? ruled : Math.min(ruled, extra);
      if (found === null || !(excluded.times.has(found) || excluded.days.has(found - (found % dayMs)))) return found;
      from = found + 1_000;
    }
  };
  return { next, across: fasterThanDaily.test(parts.get('FREQ') ?? '') ? 'each' : 'once' };
}

function writeLocal(local: number): string {
  return new Date(local).toISOString().slice(0, 19).replace(/[-:]/g, '');
}
