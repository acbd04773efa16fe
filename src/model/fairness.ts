/** Fairness: within a queue and a priority, keys take turns, no matter how many runs wait. Pure. */
import { cutText } from '../base/cut-text.ts';
import { BatutaError } from '../base/errors.ts';

/** Fairness as a flow declares it. */
export interface FlowFairness {
  /** Template over the parameters, or a function of them. */
  readonly key: string | ((params: unknown) => string);
  /** A key's share of the turns, relative to others; null: all equal. */
  readonly weight: ((key: string) => number) | null;
}

/** Bounds for a weight. */
const minWeight = 0.001;
const maxWeight = 1_000;

/**
 * Fairness as declared: a template, a function of the parameters, or `{ key, weight? }`.
 *
 * @param place owner of the option, in messages
 * @throws BatutaError OPTION_INVALID, OPTION_UNKNOWN
 */
export function checkFairness(place: string, value: unknown): FlowFairness {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { key: keyFrom(place, value), weight: null };
  const unknown = Object.keys(value).find((name) => name !== 'key' && name !== 'weight');
  if (unknown !== undefined)
    throw new BatutaError('OPTION_UNKNOWN', `${place}: fairness has no option '${unknown}'. It takes key and weight.`, {
      details: { option: 'fairness' },
    });
  const { key, weight = null }: { key?: unknown; weight?: unknown } = value;
  if (weight !== null && typeof weight !== 'function')
    throw invalid(place, `weight of fairness must be a function of the key that returns a number, not ${shown(weight)}`);
  return { key: keyFrom(place, key), weight: weight as FlowFairness['weight'] };
}

/** Fairness of a deployment, a template. @throws BatutaError OPTION_INVALID */
export function checkFairTemplate(place: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw invalid(place, `fairness must be a template over the parameters such as '{customer}', not ${shown(value)}`);
}

/**
 * The weight of a key; default 1.
 *
 * @param onFault called with why a weight counts as 1, or as the nearest bound: the function threw, or returned no number above 0
 */
export function weightOfKey({ weight }: Pick<FlowFairness, 'weight'>, key: string, onFault: (why: string) => void): number {
  if (weight === null) return 1;
  let given: unknown;
  try {
    given = weight(key);
  } catch (error) {
    onFault(`it threw: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
  if (typeof given !== 'number' || !(given > 0) || given === Number.POSITIVE_INFINITY) {
    onFault(`it returned ${shown(given)}`);
    return 1;
  }
  return Math.min(maxWeight, Math.max(minWeight, given));
}

/** Why a run waits for its turn. @param keys waiting keys, including its own */
export function turnText(key: string, ahead: number, keys: number): string {
  const own =
    ahead === 0
      ? `It is the next of ${key}`
      : `${ahead === 1 ? '1 run' : `${ahead.toLocaleString('en-US')} runs`} of ${key} ${ahead === 1 ? 'is' : 'are'} before it`;
  if (keys <= 1) return `Waits its turn: ${own}.`;
  return `Waits its turn: ${own}, and ${keys.toLocaleString('en-US')} keys take turns in its queue.`;
}

function keyFrom(place: string, key: unknown): FlowFairness['key'] {
  if (typeof key === 'string' && key !== '') return key;
  if (typeof key === 'function') return key as (params: unknown) => string;
  throw invalid(
    place,
    `fairness must be a template over the parameters such as '{customer}', a function of them, or { key, weight }, not ${shown(key)}`,
  );
}

function invalid(place: string, message: string): BatutaError {
  return new BatutaError('OPTION_INVALID', `${place}: ${message}.`, { details: { option: 'fairness' } });
}

function shown(value: unknown): string {
  if (typeof value === 'string') return `'${cutText(value, 60)}'`;
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : typeof value === 'function' ? 'a function' : String(value);
}
