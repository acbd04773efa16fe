/** When a failed attempt is followed by another, and after how long. Pure. */

import { kindOf } from '../base/errors.ts';
import type { RetryAfter } from './flow-error.ts';

/** Wait before the next attempt in ms: one for all, a list whose last value repeats, or a function of the attempt. */
export type RetryDelay = number | readonly number[] | ((attempt: number, error: unknown) => number);

export interface RetryPolicy {
  /** How often a failed attempt is retried; 0 is never. */
  readonly retries: number;
  readonly delayMs: RetryDelay;
  readonly backoff: 'fixed' | 'exponential';
  /** Upper bound of a wait in ms with jitter; null is none. */
  readonly maxDelayMs: number | null;
  /** Random share of the wait, 0 to 1: the wait is uniform in `wait × (1 ± jitter)`. */
  readonly jitter: number;
  /** Called before a retry with the error and the failed attempt (from 1); false ends it. Null is always. */
  readonly retryIf: ((error: unknown, attempt: number) => boolean | Promise<boolean>) | null;
}

export const noRetry: RetryPolicy = { retries: 0, delayMs: 0, backoff: 'fixed', maxDelayMs: null, jitter: 0, retryIf: null };

/**
 * Wait in ms after failure number `failures` (from 1). At least 0, whole ms.
 *
 * Exponential doubles: delay, 2 × delay, 4 × delay. A value from a list or function is used as is. A `RetryAfter` sets the wait itself.
 *
 * @param random returns numbers in [0, 1), like `Math.random`
 */
export function retryDelayMs(policy: RetryPolicy, failures: number, error: unknown, random: () => number): number {
  if (kindOf(error) === 'RetryAfter') return (error as RetryAfter).delayMs;
  const base = baseDelayMs(policy, failures, error);
  const spread = policy.jitter === 0 ? base : base * (1 + policy.jitter * (2 * random() - 1));
  const bounded = policy.maxDelayMs === null ? spread : Math.min(spread, policy.maxDelayMs);
  return Number.isFinite(bounded) ? Math.max(0, Math.round(bounded)) : 0;
}

function baseDelayMs({ delayMs, backoff }: RetryPolicy, failures: number, error: unknown): number {
  if (typeof delayMs === 'function') return delayMs(failures, error);
  if (typeof delayMs !== 'number') return delayMs[Math.min(failures, delayMs.length) - 1] ?? 0;
  return backoff === 'exponential' ? delayMs * 2 ** (failures - 1) : delayMs;
}

/** Whether the error itself rules out another attempt. */
export function isNonRetryable(error: unknown): boolean {
  const kind = kindOf(error);
  return kind === 'NonRetryable' || kind === 'ValidationError';
}
