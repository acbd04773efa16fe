/** Checks of decorator options. */
import { byteSize } from '../base/byte-size.ts';
import { parseDuration } from '../base/duration.ts';
import { BatutaError, type ErrorCode } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';
import { bytes } from '../base/setting-values.ts';
import { isQueueName } from '../model/queue.ts';
import { noRetry, type RetryDelay, type RetryPolicy } from '../model/retry.ts';
import { cutText } from '../base/cut-text.ts';

/** Options as written. */
export type RawOptions = Readonly<Record<string, unknown>>;

/** Options of other orchestrators that do not exist here yet; they get their own message. */
const notYet: ReadonlySet<string> = new Set<string>();

/** An error about a class or one of its methods (`Etl`, `Etl.join`), with an option or none. */
export function refuse(code: ErrorCode, place: string, message: string, cause?: unknown): BatutaError {
  const [className, method] = place.split('.', 2);
  return new BatutaError(code, `${place}${message}`, {
    details: { class: className, method: method ?? null },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** @throws BatutaError OPTION_UNKNOWN naming the nearest known option, or saying that there is none */
export function checkOptionNames(place: string, options: RawOptions, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    if (notYet.has(name))
      throw refuse('OPTION_UNKNOWN', place, `: the option '${name}' does not exist in this version of Batuta; leave it out.`);
    throw refuse('OPTION_UNKNOWN', place, `: there is no option '${name}'.${hintFor(name, known, 'The options are')}`);
  }
}

/**
 * The options in one place, read one by one; undefined if not given.
 *
 * @throws BatutaError OPTION_INVALID, DURATION_INVALID for an invalid value
 */
export class OptionReader {
  readonly place: string;
  readonly raw: RawOptions;

  constructor(place: string, raw: RawOptions) {
    this.place = place;
    this.raw = raw;
  }

  /** A whole number from `min` to `max`. */
  whole(name: string, min: number, max = Number.MAX_SAFE_INTEGER): number | undefined {
    const wanted = `a whole number from ${min}${max === Number.MAX_SAFE_INTEGER ? '' : ` to ${max}`}`;
    return this.#checked(name, wanted, (value) => Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max);
  }

  /** A finite number within bounds. */
  number(name: string, min = -Number.MAX_VALUE, max = Number.MAX_VALUE): number | undefined {
    const wanted = min === -Number.MAX_VALUE ? 'a number' : `a number from ${min} to ${max}`;
    return this.#checked(name, wanted, (value) => typeof value === 'number' && value >= min && value <= max);
  }

  /** A duration, ms. */
  ms(name: string): number | undefined {
    return this.raw[name] === undefined ? undefined : this.#msOf(name, this.raw[name]);
  }

  /** A duration above 0, ms. */
  positiveMs(name: string): number | undefined {
    const ms = this.ms(name);
    if (ms === 0) throw this.invalid(name, 'longer than 0; leave it out for no limit');
    return ms;
  }

  /** A size from `min` bytes: a number, or text such as `512 MB`. In bytes. */
  bytes(name: string, min: number): number | undefined {
    const value = this.raw[name];
    if (value === undefined) return undefined;
    try {
      return bytes(min, Number.MAX_SAFE_INTEGER).read(value);
    } catch {
      throw this.invalid(name, `a size such as '512 MB', at least ${byteSize(min)}`);
    }
  }

  /** Non-empty text. */
  text(name: string): string | undefined {
    return this.#checked(name, 'text that is not empty', isFilled);
  }

  /** A list of texts, empty by default. */
  texts(name: string): readonly string[] {
    const list = this.#checked<string[]>(
      name,
      "a list of texts, e.g. ['a', 'b']",
      (value) => Array.isArray(value) && value.every(isFilled),
    );
    return [...(list ?? [])];
  }

  /** True or false. */
  flag(name: string): boolean | undefined {
    return this.#checked(name, 'true or false', (value) => typeof value === 'boolean');
  }

  /** One of a few texts. */
  oneOf<T extends string>(name: string, allowed: readonly T[]): T | undefined {
    return this.#checked(name, allowed.map((entry) => `'${entry}'`).join(' or '), (value) => allowed.some((entry) => entry === value));
  }

  /** Name of a queue. */
  queue(): string | undefined {
    return this.#checked('queue', '1 to 100 letters, digits, _, . and -, the first a letter or digit', isQueueName);
  }

  /** A function. */
  callable<F>(name: string): F | undefined {
    return this.#checked(name, 'a function', (value) => typeof value === 'function');
  }

  /** A template or function for the name of a run. */
  runName<F>(): string | F | undefined {
    return typeof this.raw.runName === 'function' ? (this.raw.runName as F) : this.text('runName');
  }

  /** Whether and when a failed attempt is followed by another. */
  retryPolicy(): RetryPolicy {
    return {
      retries: this.whole('retries', 0) ?? noRetry.retries,
      delayMs: this.#retryDelay(),
      backoff: this.oneOf('backoff', ['fixed', 'exponential']) ?? noRetry.backoff,
      maxDelayMs: this.ms('maxRetryDelay') ?? null,
      jitter: this.number('jitter', 0, 1) ?? noRetry.jitter,
      retryIf: this.callable<NonNullable<RetryPolicy['retryIf']>>('retryIf') ?? null,
    };
  }

  /** The error for an option that is not `wanted`. */
  invalid(name: string, wanted: string): BatutaError {
    return invalid(this.place, name, this.raw[name], wanted);
  }

  #checked<T>(name: string, wanted: string, isRight: (value: unknown) => boolean): T | undefined {
    const value = this.raw[name];
    if (value === undefined || isRight(value)) return value as T | undefined;
    throw this.invalid(name, wanted);
  }

  #retryDelay(): RetryDelay {
    const value = this.raw.retryDelay;
    if (typeof value === 'function') {
      const ask = value as (attempt: number, error: unknown) => unknown;
      return (attempt, error) => {
        const delay = ask(attempt, error);
        return typeof delay === 'number' ? delay : parseDuration(delay);
      };
    }
    if (!Array.isArray(value)) return this.ms('retryDelay') ?? 0;
    if (value.length === 0) throw this.invalid('retryDelay', 'a list with at least one duration');
    return value.map((entry: unknown) => this.#msOf('retryDelay', entry ?? null));
  }

  #msOf(name: string, value: unknown): number {
    try {
      return parseDuration(value);
    } catch (error) {
      if (!(error instanceof BatutaError)) throw error;
      throw refuse('DURATION_INVALID', this.place, `: ${name} ${error.message}`, error);
    }
  }
}

/** The options of a `retryPolicy`. */
export const retryOptions = ['retries', 'retryDelay', 'backoff', 'maxRetryDelay', 'jitter', 'retryIf'] as const;

/** The error for a value that is not `wanted`. */
export function invalid(place: string, name: string, value: unknown, wanted: string): BatutaError {
  return refuse('OPTION_INVALID', place, `: ${name} must be ${wanted}, not ${shown(value)}.`);
}

function isFilled(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0;
}

function shown(value: unknown): string {
  if (typeof value === 'string') return `'${cutText(value, 60)}'`;
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  return typeof value === 'object' ? 'an object' : typeof value === 'function' ? 'a function' : typeof value;
}
