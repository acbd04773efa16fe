/** Checks of decorator options, one small function a kind. Each takes the place it speaks of and gives the checked value. */
import { parseDuration } from '../base/duration.ts';
import { BatutaError, type ErrorCode } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';
import { isQueueName } from '../model/queue.ts';
import { noRetry, type RetryDelay, type RetryPolicy } from '../model/retry.ts';
import { cutText } from '../base/cut-text.ts';

/** Options as they were written. */
export type RawOptions = Readonly<Record<string, unknown>>;

/** What people know from elsewhere and look for here; told apart from typing errors. */
const notYet: ReadonlySet<string> = new Set(['cache', 'rollback']);

/** An error about a class or one of its methods (`Etl`, `Etl.join`), with an option or none. */
export function refuse(code: ErrorCode, place: string, message: string, cause?: unknown): BatutaError {
  const [className, method] = place.split('.', 2);
  return new BatutaError(code, `${place}${message}`, {
    details: { class: className, method: method ?? null },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** @throws BatutaError OPTION_UNKNOWN naming the nearest known option, or saying that there is no such option. */
export function checkOptionNames(place: string, options: RawOptions, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    if (notYet.has(name))
      throw refuse('OPTION_UNKNOWN', place, `: the option '${name}' does not exist in this version of Batuta; leave it out.`);
    throw refuse('OPTION_UNKNOWN', place, `: there is no option '${name}'.${hintFor(name, known, 'The options are')}`);
  }
}

/** A whole number from `min`, or undefined when the option is not given. */
export function wholeNumber(place: string, name: string, value: unknown, min: number): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min) return value;
  throw invalid(place, name, value, `a whole number from ${min}`);
}

/** A finite number within bounds, or undefined when the option is not given. */
export function finiteNumber(
  place: string,
  name: string,
  value: unknown,
  min = -Number.MAX_VALUE,
  max = Number.MAX_VALUE,
): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && value >= min && value <= max) return value;
  throw invalid(place, name, value, min === -Number.MAX_VALUE ? 'a number' : `a number from ${min} to ${max}`);
}

/** A duration in ms, or undefined when the option is not given. */
export function durationMs(place: string, name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  try {
    return parseDuration(value);
  } catch (error) {
    if (!(error instanceof BatutaError)) throw error;
    throw refuse('DURATION_INVALID', place, `: ${name} ${error.message}`, error);
  }
}

/** A duration above 0 in ms, or undefined when the option is not given. */
export function positiveDurationMs(place: string, name: string, value: unknown): number | undefined {
  const ms = durationMs(place, name, value);
  if (ms === 0) throw invalid(place, name, value, 'longer than 0; leave it out for no limit');
  return ms;
}

/** Text that is not empty, or undefined when the option is not given. */
export function text(place: string, name: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value.length > 0) return value;
  throw invalid(place, name, value, 'text that is not empty');
}

/** A list of texts, empty when the option is not given. */
export function texts(place: string, name: string, value: unknown): readonly string[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string' && entry.length > 0)) return [...(value as string[])];
  throw invalid(place, name, value, "a list of texts, e.g. ['a', 'b']");
}

/** True or false, or undefined when the option is not given. */
export function flag(place: string, name: string, value: unknown): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  throw invalid(place, name, value, 'true or false');
}

/** One of a few texts, or undefined when the option is not given. */
export function oneOf<T extends string>(place: string, name: string, value: unknown, allowed: readonly T[]): T | undefined {
  if (value === undefined) return undefined;
  const found = allowed.find((entry) => entry === value);
  if (found !== undefined) return found;
  throw invalid(place, name, value, `${allowed.map((entry) => `'${entry}'`).join(' or ')}`);
}

/** Name of a queue, or undefined when the option is not given. */
export function queueName(place: string, value: unknown): string | undefined {
  if (value === undefined || isQueueName(value)) return value;
  throw invalid(place, 'queue', value, '1 to 100 letters, digits, _, . and -, the first a letter or digit');
}

/** A function, or undefined when the option is not given. */
export function callable<F>(place: string, name: string, value: unknown): F | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'function') return value as F;
  throw invalid(place, name, value, 'a function');
}

/** A template or a function that gives the name of a run; undefined when the option is not given. */
export function runNameOf<F>(place: string, value: unknown): string | F | undefined {
  return typeof value === 'function' ? (value as F) : text(place, 'runName', value);
}

/** The names that make up `retryPolicyOf`. */
export const retryOptions = ['retries', 'retryDelay', 'backoff', 'maxRetryDelay', 'jitter', 'retryIf'] as const;

/** Reads all that says whether and when a failed attempt is followed by another. */
export function retryPolicyOf(place: string, options: RawOptions): RetryPolicy {
  return {
    retries: wholeNumber(place, 'retries', options.retries, 0) ?? noRetry.retries,
    delayMs: retryDelayOf(place, options.retryDelay),
    backoff: oneOf(place, 'backoff', options.backoff, ['fixed', 'exponential']) ?? noRetry.backoff,
    maxDelayMs: durationMs(place, 'maxRetryDelay', options.maxRetryDelay) ?? null,
    jitter: finiteNumber(place, 'jitter', options.jitter, 0, 1) ?? noRetry.jitter,
    retryIf: callable<NonNullable<RetryPolicy['retryIf']>>(place, 'retryIf', options.retryIf) ?? null,
  };
}

function retryDelayOf(place: string, value: unknown): RetryDelay {
  if (typeof value === 'function') {
    const ask = value as (attempt: number, error: unknown) => unknown;
    return (attempt, error) => {
      const delay = ask(attempt, error);
      return typeof delay === 'number' ? delay : parseDuration(delay);
    };
  }
  if (!Array.isArray(value)) return durationMs(place, 'retryDelay', value) ?? 0;
  if (value.length === 0) throw invalid(place, 'retryDelay', value, 'a list with at least one duration');
  return value.map((entry: unknown) => durationMs(place, 'retryDelay', entry ?? null) ?? 0);
}

/** The error for a value that is not `wanted`. */
export function invalid(place: string, name: string, value: unknown, wanted: string): BatutaError {
  return refuse('OPTION_INVALID', place, `: ${name} must be ${wanted}, not ${shown(value)}.`);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return `'${cutText(value, 60)}'`;
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  return typeof value === 'object' ? 'an object' : typeof value === 'function' ? 'a function' : typeof value;
}
