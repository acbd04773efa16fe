/** Rates: how many runs or tasks may begin in any time window, as declared and as shown to people. Pure. */
import { cutText } from '../base/cut-text.ts';
import { type Duration, formatDuration, parseDuration } from '../base/duration.ts';
import { BatutaError } from '../base/errors.ts';

/** Most starts per window, and the longest window, ms. */
export const maxStarts = 1_000_000;
export const maxPerMs = 31 * 24 * 3_600_000;
/** The shortest window, ms: database clocks are too coarse for less. */
export const minPerMs = 100;

/** At most `limit` starts in any `perMs`. */
export interface Rate {
  /** From 1; per key if there is one. */
  readonly limit: number;
  readonly perMs: number;
  /** Template over the parameters, like `{customer}`; null: one rate for all. */
  readonly key: string | null;
}

/** The same as declared by a flow: its key may be a function. */
export interface FlowRate extends Omit<Rate, 'key'> {
  readonly key: string | ((params: unknown) => string) | null;
}

/** How many tasks of a tag may begin in any time window. */
export interface TagRate {
  /** 1 to 1,000,000; per key if there is one. */
  readonly limit: number;
  /** 100 ms to 31 days. */
  readonly per: Duration;
  /** Template over the parameters of the run, like `{customer}`. Default: one rate for all. */
  readonly key?: string | undefined;
}

/** The rate something is under. */
export interface RateName {
  /** With its key, e.g. `flow:sync:acme`. */
  readonly name: string;
  /** Its declaration: `flow:<name>`, `deployment:<name>` or `tag:<tag>`. */
  readonly base: string;
}

/** Name of a rate without a key: other colons are escaped, as one begins a key. */
export function unkeyedRateName(base: string): string {
  const at = base.indexOf(':') + 1;
  return `${base.slice(0, at)}${base.slice(at).replaceAll(':', '%3A')}`;
}

/**
 * A unique name of a rate, for metrics. `tag:a:b` is shown both for the rate of the tag `a:b` and for the key value `b` of `tag:a`; here
 * the first is `tag:a%3Ab`.
 */
export function rateLabel({ name, base }: RateName): string {
  return name === base ? unkeyedRateName(base) : name;
}

/** `100 in 1 s` */
export function rateText(limit: number, perMs: number): string {
  return `${limit} in ${formatDuration(perMs)}`;
}

/** `Waits for the rate flow:sync:acme (100 in 1 s).` */
export function rateWaitText(name: string, limit: number, perMs: number): string {
  return `Waits for the rate ${name} (${rateText(limit, perMs)}).`;
}

/** Whether a state's message says that a run waits for its rate. */
export function isRateWait(message: string | null): boolean {
  return message !== null && /^Waits for the rate \S/.test(message);
}

const names: readonly string[] = ['limit', 'per', 'key'];

/**
 * A rate as declared: `{ limit, per, key? }`.
 *
 * @param place owner of the option, in messages; `keyByFunction`: whether the key may be a function
 * @throws BatutaError OPTION_INVALID, OPTION_UNKNOWN, DURATION_INVALID
 */
export function checkRate(place: string, value: unknown, { keyByFunction = false } = {}): FlowRate {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(place, `rateLimit must be { limit, per, key? }, for example { limit: 100, per: '1m' }, not ${shown(value)}`);
  const unknown = Object.keys(value).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new BatutaError('OPTION_UNKNOWN', `${place}: rateLimit has no option '${unknown}'. It takes limit, per and key.`, {
      details: { option: 'rateLimit' },
    });
  const { limit, per, key }: { limit?: unknown; per?: unknown; key?: unknown } = value;
  if (typeof limit !== 'number' || !Number.isSafeInteger(limit) || limit < 1 || limit > maxStarts)
    throw invalid(place, `limit of rateLimit must be a whole number from 1 to ${maxStarts}, not ${shown(limit)}`);
  return { limit, perMs: windowMs(place, per), key: keyFrom(place, key, keyByFunction) };
}

/** A window as declared, ms. @throws BatutaError OPTION_INVALID, DURATION_INVALID */
export function windowMs(place: string, per: unknown): number {
  if (per === undefined) throw invalid(place, "per of rateLimit is missing; give the window, for example '1m'");
  let perMs: number;
  try {
    perMs = parseDuration(per);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BatutaError('DURATION_INVALID', `${place}: per of rateLimit: ${why}`, { cause, details: { option: 'rateLimit' } });
  }
  if (perMs < minPerMs || perMs > maxPerMs)
    throw invalid(place, `per of rateLimit must be from ${formatDuration(minPerMs)} to ${formatDuration(maxPerMs)}, not ${shown(per)}`);
  return perMs;
}

function keyFrom(place: string, key: unknown, keyByFunction: boolean): FlowRate['key'] {
  if (key === undefined || key === null) return null;
  if (typeof key === 'string' && key !== '') return key;
  if (keyByFunction && typeof key === 'function') return key as (params: unknown) => string;
  const or = keyByFunction ? ', or a function of them' : '';
  throw invalid(place, `key of rateLimit must be a template over the parameters such as '{customer}'${or}, not ${shown(key)}`);
}

function invalid(place: string, message: string): BatutaError {
  return new BatutaError('OPTION_INVALID', `${place}: ${message}.`, { details: { option: 'rateLimit' } });
}

function shown(value: unknown): string {
  if (typeof value === 'string') return `'${cutText(value, 60)}'`;
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : typeof value === 'function' ? 'a function' : String(value);
}
