/**
 * Wall clocks of time zones, by Intl only: a polyfill of Temporal takes five times as long (docs/decisions/0008).
 *
 * A *local* time is what a wall clock shows, stored as the epoch ms at which a UTC clock would show the same.
 */
import { BatutaError } from '../../base/errors.ts';
import { nearestNames } from '../../base/nearest.ts';
import { remembered } from '../remembered.ts';

/** A jump of a zone's wall clock. */
export interface ClockChange {
  /** First instant with the new offset, UTC epoch ms. */
  readonly at: number;
  /** Local minus UTC before and from then on, ms. Greater afterwards: a gap; smaller: a repeated hour. */
  readonly offsetBefore: number;
  readonly offsetAfter: number;
}

const secondMs = 1_000;
const dayMs = 86_400_000;
/** Zones do change twice within a month (Ramadan in Morocco), never within two days. */
const probeMs = 2 * dayMs;
/** From here on zones follow rules of two changes a year, or Morocco's, a month apart. */
const ruledFrom = Date.UTC(2040, 0, 1);
const ruledProbeMs = 16 * dayMs;
/** By then every zone follows yearly rules, so years with the same days have the same changes; these include every kind of year. */
const [firstTwin, lastTwin] = [2101, 2128];
const earliestYear = 1970;
const latestYear = 2999;

/** More than all zones. */
const formatterOf = remembered(
  1_000,
  (timeZone: string) => new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', year: 'numeric', ...twoDigits }),
);
const two = '2-digit';
const twoDigits = { month: two, day: two, hour: two, minute: two, second: two } as const;

/** Local minus UTC at an instant, ms. `timezone` must be known; see `checkZone`. */
export function offsetAt(timezone: string, instant: number): number {
  const second = Math.floor(instant / secondMs) * secondMs;
  if (timezone === 'UTC') return 0;
  const shown = formatterOf(timezone).format(second);
  const at = (from: number, to: number): number => Number(shown.slice(from, to));
  // en-US with two digits each: MM/DD/YYYY, HH:mm:ss
  return Date.UTC(at(6, 10), at(0, 2) - 1, at(3, 5), at(12, 14), at(14 + 1, 17), at(18, 20)) - second;
}

/** What the wall clock shows at an instant. */
export function localAt(timezone: string, instant: number): number {
  return instant + offsetAt(timezone, instant);
}

/** The changes with `after < at <= until`, oldest first; or empty. Both bounds in UTC epoch ms. */
export function changesBetween(timezone: string, after: number, until: number): ClockChange[] {
  const found: ClockChange[] = [];
  if (timezone === 'UTC') return found;
  const last = new Date(until).getUTCFullYear();
  for (let year = new Date(after).getUTCFullYear(); year <= last; year++) {
    for (const change of changesOfYear(timezone, year)) if (change.at > after && change.at <= until) found.push(change);
  }
  return found;
}

/**
 * The instant at which a wall clock shows a local time: the earlier of two; a nonexistent time moves forward by the length of the gap.
 * Source: RFC 5545, section 3.3.5.
 */
export function instantOfLocal(timezone: string, local: number): number {
  const early = local - offsetAt(timezone, local - dayMs);
  const late = local - offsetAt(timezone, local + dayMs);
  const fitting = [early, late].filter((instant) => localAt(timezone, instant) === local);
  return fitting.length > 0 ? Math.min(...fitting) : early;
}

/** The zone as written, if known. @throws BatutaError SCHEDULE_INVALID with the nearest names */
export function checkZone(name: string): string {
  const wanted = name.trim();
  // Node 20 has no offsets as zones; refused everywhere, as they lack clock changes.
  if (/^[a-z]/i.test(wanted) && isKnown(wanted)) return wanted;
  const near = nearestZones(wanted);
  const hint =
    near.length > 0 ? ` Did you mean ${near.map((zone) => `'${zone}'`).join(' or ')}?` : " Write a name such as 'Europe/Lisbon' or 'UTC'.";
  throw new BatutaError('SCHEDULE_INVALID', `There is no time zone '${name}'.${hint}`, { details: { timezone: name } });
}

/**
 * An instant, UTC epoch ms, from an ISO 8601 date or time; without Z or offset it is wall-clock time in the zone.
 *
 * @param what names the value in messages, e.g. `--from`
 * @throws BatutaError SCHEDULE_INVALID for anything else, for nonexistent days, and outside the years 1970 to 2999
 */
export function readInstant(what: string, text: string, timezone: string): number {
  const pattern = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?$/i;
  const [, date, time = '00:00', seconds = ':00', zone] = pattern.exec(text.trim()) ?? [];
  const local = date === undefined ? Number.NaN : Date.parse(`${date}T${time}${seconds}Z`);
  const offset = zone === undefined ? null : readOffset(zone);
  const year = Number(date?.slice(0, 4));
  const real = !Number.isNaN(local) && new Date(local).toISOString().startsWith(date ?? '');
  if (real && !Number.isNaN(offset) && year >= earliestYear && year <= latestYear) {
    return offset === null ? instantOfLocal(timezone, local) : local - offset;
  }
  throw new BatutaError(
    'SCHEDULE_INVALID',
    `${what} must be an ISO time from ${earliestYear} to ${latestYear} such as 2026-03-01T09:00:00Z, or without Z on the wall clock of ${timezone}, not '${text}'.`,
    { details: { [what]: text } },
  );
}

/**
 * The zone's wall-clock time for a written time: one without Z or offset is taken as is, even if that day skips it.
 *
 * @throws BatutaError SCHEDULE_INVALID as `readInstant`
 */
export function readLocalTime(what: string, text: string, timezone: string): number {
  const instant = readInstant(what, text, timezone);
  const hasOffset = /[T ].*(Z|[+-]\d\d:?\d\d)$/i.test(text.trim());
  return hasOffset ? localAt(timezone, instant) : readInstant(what, text, 'UTC');
}

function readOffset(zone: string): number {
  if (/^z$/i.test(zone)) return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(-2))];
  return hours > 23 || minutes > 59 ? Number.NaN : (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

function changesOfYear(timezone: string, year: number): readonly ClockChange[] {
  if (year <= lastTwin) return searchYear(timezone, year);
  const twin = twinOf(year);
  const shift = Date.UTC(year, 0, 1) - Date.UTC(twin, 0, 1);
  return searchYear(timezone, twin).map((change) => ({ ...change, at: change.at + shift }));
}

/** The changes of a year; cached for 20,000 years over all zones. */
const searchYear = remembered(20_000, (timezone: string, year: number): readonly ClockChange[] => {
  const found: ClockChange[] = [];
  const end = Date.UTC(year + 1, 0, 1);
  // A year owns the changes at its instants, so the first probe is just before it.
  let before = Date.UTC(year, 0, 1) - secondMs;
  let offsetBefore = offsetAt(timezone, before);
  const stepMs = before < ruledFrom ? probeMs : ruledProbeMs;
  while (before < end - secondMs) {
    const next = Math.min(before + stepMs, end - secondMs);
    const offsetAfter = offsetAt(timezone, next);
    if (offsetAfter !== offsetBefore) found.push({ at: bisect(timezone, before, next, offsetBefore), offsetBefore, offsetAfter });
    before = next;
    offsetBefore = offsetAfter;
  }
  return found;
});

/** A rule-based year of the same length and first weekday. */
function twinOf(year: number): number {
  const kindOf = (one: number): string => `${new Date(Date.UTC(one, 0, 1)).getUTCDay()} ${Date.UTC(one + 1, 0, 1) - Date.UTC(one, 0, 1)}`;
  let twin = firstTwin;
  while (twin < lastTwin && kindOf(twin) !== kindOf(year)) twin++;
  return twin;
}

function bisect(timezone: string, from: number, to: number, offsetBefore: number): number {
  let before = from / secondMs;
  let after = to / secondMs;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (offsetAt(timezone, middle * secondMs) === offsetBefore) before = middle;
    else after = middle;
  }
  return after * secondMs;
}

function isKnown(timezone: string): boolean {
  try {
    return formatterOf(timezone) !== undefined;
  } catch {
    return false;
  }
}

/** First by whole name, then by city alone, as many write just that. */
function nearestZones(wanted: string): string[] {
  const zones = Intl.supportedValuesOf('timeZone');
  const spelled = wanted.replace(/\s+/g, '_');
  const near = nearestNames(spelled, zones);
  if (near.length > 0) return near;
  const cities = new Map(zones.map((zone) => [zone.slice(zone.lastIndexOf('/') + 1), zone]));
  return nearestNames(spelled.slice(spelled.lastIndexOf('/') + 1), cities.keys()).map((city) => cities.get(city) ?? city);
}
