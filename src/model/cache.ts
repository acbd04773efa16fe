/** Values of tasks that later runs take instead of making them again: what a task says about it, and how long a value holds. Pure. */
import { parseDuration, type Duration } from '../base/duration.ts';
import { BatutaError } from '../base/errors.ts';

/** How a key of the cache has been used so far. */
export interface CacheUse {
  /** How often a value was found under the key, over all values that stood there. */
  readonly hits: number;
  /** How often a value was made for it. */
  readonly misses: number;
}

/** Length of life of a value, ms from the moment it was made; null: for ever. Asked when the value is made, and again with each hit. */
export type CacheTtl = number | null | ((use: CacheUse) => number);

/** What a task says about its cache. */
export interface CachePolicy {
  readonly ttl: CacheTtl;
  /** Stands for the inputs in the key: a template over the parameters, or a function of the task's arguments and context. Null: the inputs themselves. */
  readonly key: string | ((...args: readonly unknown[]) => unknown) | null;
  /** `run`: a value is found by task runs of the same run alone. */
  readonly scope: 'global' | 'run';
  /** Whether the value is made anew whatever is there: always, never, or as a function of the arguments and context says. */
  readonly refresh: boolean | ((...args: readonly unknown[]) => boolean | Promise<boolean>);
}

/** Where a cached value comes from. */
export interface CachedFrom {
  /** Run and task run that made it; the run may have been deleted since. */
  readonly runId: string;
  readonly taskRunId: string;
  /** When, UTC epoch ms. */
  readonly madeAt: number;
  /** Id of its entry in the cache. */
  readonly entry: string;
}

/** Thresholds and lengths of `adaptiveTtl`. */
export interface AdaptiveTtl {
  /** How long a value of a key that is seldom asked for holds. */
  readonly cold: Duration;
  readonly warm: Duration;
  readonly hot: Duration;
  /** Hits from which a key is warm. Default 11. */
  readonly warmFrom?: number;
  /** Hits from which it is hot; more than `warmFrom`. Default 101. */
  readonly hotFrom?: number;
}

/**
 * A length of life that follows how often the key is asked for, for the option `cache.ttl` of `@Task`.
 *
 * @throws BatutaError DURATION_INVALID for a length that is none; OPTION_INVALID for thresholds that are no whole numbers, or the wrong way round
 * @example
 * ```ts
 * @Task({ cache: { ttl: adaptiveTtl({ cold: '5m', warm: '15m', hot: '1h' }) } })
 * ```
 */
export function adaptiveTtl({ cold, warm, hot, warmFrom = 11, hotFrom = 101 }: AdaptiveTtl): (use: CacheUse) => number {
  const [coldMs, warmMs, hotMs] = [cold, warm, hot].map(parseDuration) as [number, number, number];
  if (!Number.isSafeInteger(warmFrom) || !Number.isSafeInteger(hotFrom) || warmFrom < 1 || hotFrom <= warmFrom)
    throw new BatutaError(
      'OPTION_INVALID',
      `adaptiveTtl: warmFrom and hotFrom must be whole numbers from 1, warmFrom the smaller one, not ${String(warmFrom)} and ${String(hotFrom)}.`,
    );
  return ({ hits }) => (hits >= hotFrom ? hotMs : hits >= warmFrom ? warmMs : coldMs);
}

/** When a value made at `madeAt` ends; null: never. @throws what the function of the policy throws, or DURATION_INVALID for what it gives */
export function expiryOf(ttl: CacheTtl, madeAt: number, use: CacheUse): number | null {
  const ms = typeof ttl === 'function' ? ttl(use) : ttl;
  return ms === null ? null : madeAt + ms;
}
