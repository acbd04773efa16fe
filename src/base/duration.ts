/** Durations: read from user input, written for people. Our own, because no library reads all forms and refuses the doubtful ones. */
import { BatutaError } from './errors.ts';
import { cutText } from './cut-text.ts';

/**
 * A duration: milliseconds as a number, or text such as `'10s'`, `'5m'`, `'1 hour'`, `'2 days'`, `'1h30m'`, `'250ms'`, `'PT1M'`, `'P1D'`.
 */
export type Duration = number | `${number}${string}` | `P${string}`;

const unitMs: ReadonlyMap<string, number> = new Map(
  (
    [
      [1, 'ms', 'msec', 'msecs', 'millisecond', 'milliseconds'],
      [1_000, 's', 'sec', 'secs', 'second', 'seconds'],
      [60_000, 'm', 'min', 'mins', 'minute', 'minutes'],
      [3_600_000, 'h', 'hr', 'hrs', 'hour', 'hours'],
      [86_400_000, 'd', 'day', 'days'],
      [604_800_000, 'w', 'week', 'weeks'],
    ] as const
  ).flatMap(([ms, ...names]) => names.map((name) => [name, ms] as const)),
);

const partPattern = /\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]+)/y;
const isoPattern =
  /^P(?:(\d+(?:[.,]\d+)?)W)?(?:(\d+(?:[.,]\d+)?)D)?(?:T(?=\d)(?:(\d+(?:[.,]\d+)?)H)?(?:(\d+(?:[.,]\d+)?)M)?(?:(\d+(?:[.,]\d+)?)S)?)?$/;
const isoPartMs = [604_800_000, 86_400_000, 3_600_000, 60_000, 1_000] as const;
const maxTextChars = 100;
/** Units in words, and where the next unit takes over. */
const wordUnits = [
  [1_000, 'second', 60],
  [60_000, 'minute', 60],
  [3_600_000, 'hour', 24],
  [86_400_000, 'day', Number.POSITIVE_INFINITY],
] as const;

/**
 * A duration in whole milliseconds, at least 0.
 *
 * Parts go from larger to smaller units. Years and months are refused, as they have no fixed length. Source of the `P…` form: ISO 8601-1,
 * section 5.5.2.
 *
 * @param value anything; text from a file or an environment variable may be passed as is
 * @throws BatutaError DURATION_INVALID naming the value and showing valid forms
 */
export function parseDuration(value: unknown): number {
  const ms = typeof value === 'number' ? value : typeof value === 'string' ? (readIso(value.trim()) ?? readParts(value.trim())) : undefined;
  if (ms === undefined || !(ms >= 0) || Math.round(ms) > Number.MAX_SAFE_INTEGER) throw invalid(value);
  return Math.round(ms);
}

/** A duration for people: `850 ms`, `1.2 s`, `1 m 12 s`, `2 h 05 m`, `3 d 04 h`. Non-finite lengths yield `–`. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return '–';
  if (ms < 0) return `-${formatDuration(-ms)}`;
  if (Math.round(ms) < 1_000) return `${Math.round(ms)} ms`;
  if (Math.round(ms / 100) < 600) return `${(Math.round(ms / 100) / 10).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return pair(seconds, 60, 'm', 's');
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1_440) return pair(minutes, 60, 'h', 'm');
  return pair(Math.round(ms / 3_600_000), 24, 'd', 'h');
}

/** A duration that somebody chose, in words if one unit holds it: `1 hour`, `30 seconds`, `2 days`; else as from `formatDuration`. */
export function durationWords(ms: number): string {
  for (const [unitMs, name, fewerThan] of wordUnits) {
    const count = ms / unitMs;
    if (Number.isInteger(count) && count > 0 && count < fewerThan) return `${count} ${name}${count === 1 ? '' : 's'}`;
  }
  return formatDuration(ms);
}

/** Text after "every": `hour`, `15 minutes`, `1 h 30 m`. */
export function periodWords(ms: number): string {
  return durationWords(ms).replace(/^1 (?=[a-z]+$)/, '');
}

function pair(total: number, perLarge: number, large: string, small: string): string {
  return `${Math.floor(total / perLarge)} ${large} ${String(total % perLarge).padStart(2, '0')} ${small}`;
}

function readParts(text: string): number | undefined {
  if (text.length === 0 || text.length > maxTextChars) return undefined;
  let total = 0;
  let smallest = Number.POSITIVE_INFINITY;
  partPattern.lastIndex = 0;
  for (let at = 0; at < text.length; at = partPattern.lastIndex) {
    const [, amount = '', name = ''] = partPattern.exec(text) ?? [];
    // One letter is case-sensitive: `M` could also mean months.
    const unit = unitMs.get(name.length > 1 ? name.toLowerCase() : name);
    if (unit === undefined || unit >= smallest) return undefined;
    smallest = unit;
    total += Number(amount) * unit;
  }
  return total;
}

function readIso(text: string): number | undefined {
  const parts = text.length > maxTextChars ? null : isoPattern.exec(text);
  if (!parts || parts.slice(1).every((part) => part === undefined)) return undefined;
  return isoPartMs.reduce((total, ms, at) => total + Number((parts[at + 1] ?? '0').replace(',', '.')) * ms, 0);
}

function invalid(value: unknown): BatutaError {
  const shown =
    typeof value === 'string'
      ? `'${cutText(value, maxTextChars)}'`
      : typeof value === 'number' || value === undefined || value === null
        ? String(value)
        : typeof value;
  return new BatutaError(
    'DURATION_INVALID',
    `${shown} is not a duration. Write '250ms', '10s', '5m', '1 hour', '2 days', '1h30m', ISO 8601 such as 'PT1M' or 'P1D', or a number of milliseconds from 0.`,
    { details: { value: shown } },
  );
}
