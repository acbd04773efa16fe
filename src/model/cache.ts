/** Task values that later runs reuse: cache options of a task, and how long a value is valid. Pure. */
import { parseDuration, type Duration } from '../base/duration.ts';
import { BatutaError } from '../base/errors.ts';

/** How a cache key has been used so far. */
export interface CacheUse {
  /** How often a value was found under the key, across all its values. */
  readonly hits: number;
  /** How often a value was made. */
  readonly misses: number;
}

/** Lifetime of a value, ms from when it was made; null: forever. Queried when the value is made, and again with each hit. */
export type CacheTtl = number | null | ((use: CacheUse) => number);

/** Cache options of a task. */
export interface CachePolicy {
  readonly ttl: CacheTtl;
  /** Stands for the inputs in the key: a template over the parameters, or a function of the task's arguments and context. Null: the inputs themselves. */
  readonly key: string | ((...args: readonly unknown[]) => unknown) | null;
  /** `run`: only task runs of the same run find the value. */
  readonly scope: 'global' | 'run';
  /** Whether the value is made again even if cached: always, never, or as a function of arguments and context says. */
  readonly refresh: boolean | ((...args: readonly unknown[]) => boolean | Promise<boolean>);
}

/** Where a cached value comes from. */
export interface CachedFrom {
  /** Run and task run that made it; the run may have been deleted since. */
  readonly runId: string;
  readonly taskRunId: string;
  /** When, UTC epoch ms. */
  readonly madeAt: number;
  /** Id of its cache entry. */
  readonly entry: string;
}

/** Thresholds and TTLs of `adaptiveTtl`. */
export interface AdaptiveTtl {
  /** Lifetime of values under a rarely used key. */
  readonly cold: Duration;
  readonly warm: Duration;
  readonly hot: Duration;
  /** Hits from which a key is warm. Default 11. */
  readonly warmFrom?: number;
  /** Hits from which it is hot; more than `warmFrom`. Default 101. */
  readonly hotFrom?: number;
}

/**
 * A lifetime that depends on how often the key is used, for the option `cache.ttl` of `@Task`.
 *
 * @throws BatutaError DURATION_INVALID for an invalid duration; OPTION_INVALID for thresholds that are not whole numbers or not in order
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

/** When a value made at `madeAt` expires; null: never. @throws what the policy's function throws, or DURATION_INVALID for its result */
export function expiryOf(ttl: CacheTtl, madeAt: number, use: CacheUse): number | null {
  const ms = typeof ttl === 'function' ? ttl(use) : ttl;
  return ms === null ? null : madeAt + ms;
}
