/** Reads the values of options; errors name the option. */
import { parseDuration } from '../base/duration.ts';
import { BatutaError } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';
import { stateNames, stateTypes, stateWord } from '../model/state.ts';
import { type LogLevel, logLevels } from './render/log-line.ts';
import { cutText, isLongerThan } from '../base/cut-text.ts';

const maxListed = 1_000;

/** A whole number within bounds; a sign is accepted if it may be negative. @throws BatutaError USAGE */
export function readCount(option: string, text: string, bounds: { readonly min: number; readonly max: number }): number {
  const value = (bounds.min < 0 ? /^[+-]?\d+$/ : /^\d+$/).test(text.trim()) ? Number(text) : Number.NaN;
  if (value >= bounds.min && value <= bounds.max) return value;
  throw usage(`${option} must be a whole number from ${bounds.min} to ${bounds.max}, not '${text}'.`);
}

/** The value of `--priority`. @throws BatutaError USAGE */
export function readPriority(text: string | undefined): number | undefined {
  return text === undefined ? undefined : readCount('--priority', text, { min: -100, max: 100 });
}

/** The value of `--concurrency` of a process. @throws BatutaError USAGE */
export function readConcurrency(text: string | undefined): number | undefined {
  return text === undefined ? undefined : readCount('--concurrency', text, { min: 1, max: 10_000 });
}

/** The instant of `--start-in` or `--start-at`, epoch ms; null if neither is given. @throws BatutaError USAGE */
export function readStart(options: { readonly startIn?: string; readonly startAt?: string }, now: number): number | null {
  const { startIn, startAt } = options;
  if (startIn !== undefined && startAt !== undefined) throw usage('Give --start-in or --start-at, not both.');
  if (startIn !== undefined) return now + readDuration('--start-in', startIn);
  if (startAt === undefined) return null;
  const at = /^\d{4}-\d{2}-\d{2}T/.test(startAt.trim()) ? Date.parse(startAt) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  throw usage(`--start-at must be an ISO time such as 2026-03-01T09:00:00Z, not '${startAt}'.`);
}

/** The value of `--limit`: 1 to 1000. @throws BatutaError USAGE */
export function readLimit(text: string): number {
  return readCount('--limit', text, { min: 1, max: maxListed });
}

/** An instant, epoch ms: a duration before `now`, or an ISO 8601 time (local if it names no zone). @throws BatutaError USAGE */
export function readSince(option: string, text: string, now: number): number {
  const trimmed = text.trim();
  if (/^\d{4}-\d{2}-\d{2}/.test(trimmed)) {
    const at = Date.parse(/^\d{4}-\d{2}-\d{2}$/.test(trimmed) ? `${trimmed}T00:00` : trimmed);
    if (!Number.isNaN(at)) return at;
  } else if (!/^\d*$/.test(trimmed)) {
    const ms = durationOrNull(trimmed);
    if (ms !== null) return now - ms;
  }
  throw usage(`${option} must be a duration ago such as 30m, 2h or 7d, or an ISO time such as 2026-03-01T09:00:00Z, not '${text}'.`);
}

/** A duration in ms; a bare number is refused, as its unit would be a guess. @throws BatutaError USAGE */
export function readDuration(option: string, text: string): number {
  const ms = /^\d*$/.test(text.trim()) ? null : durationOrNull(text);
  if (ms !== null) return ms;
  throw usage(`${option} must be a duration such as 30m, 12h or 30d, not '${text}'.`);
}

/** Text for people, on one line. @throws BatutaError USAGE */
export function readLine(option: string, text: string, maxChars: number): string {
  if (text.trim() !== '' && !isLongerThan(text, maxChars) && !/\p{Cc}/u.test(text)) return text;
  const shown = cutText(text, 60, '…');
  throw usage(`${option} must be 1 to ${maxChars} characters in one line, not ${JSON.stringify(shown)}.`);
}

/** States to filter by, one or several separated by commas. @throws BatutaError USAGE naming the allowed ones. */
export function readStates(texts: readonly string[]): string[] {
  return texts
    .flatMap((text) => text.split(','))
    .map((text) => {
      const word = stateWord(text);
      if (word !== null) return word;
      const names = [...new Set<string>(Object.values(stateNames).flat())].join(', ');
      throw usage(`--state '${text}' is no state. Allowed are ${names}, the types ${stateTypes.join(', ')}, and both as in FAILED/Failed.`);
    });
}

/** A log level as pino's number. @throws BatutaError USAGE */
export function readLevel(text: string): number {
  const name = text.trim().toLowerCase();
  if (Object.hasOwn(logLevels, name)) return logLevels[name as LogLevel];
  throw usage(`--level must be one of ${Object.keys(logLevels).join(', ')}, not '${text}'.`);
}

/** One of a few words. @throws BatutaError USAGE */
export function readWord<T extends string>(option: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((word) => word === text.trim().toLowerCase());
  if (found !== undefined) return found;
  throw usage(`${option} '${text}' is not known.${hintFor(text, allowed, 'Allowed are')}`);
}

/** The fields that have a value: options not given are left out. */
export function given<T extends object>(fields: T): Given<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<T>;
}

type Given<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** An error of wrong usage. */
export function usage(message: string): BatutaError {
  return new BatutaError('USAGE', message);
}

function durationOrNull(text: string): number | null {
  try {
    return parseDuration(text);
  } catch {
    return null;
  }
}
