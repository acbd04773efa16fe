/** When a request is tried again, and after what wait. */
import type { Duration } from '../../base/duration.ts';

/** Statuses of answers that pass. */
export const passingStatuses: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Methods that may be repeated: the second request changes nothing that the first has not changed (RFC 9110, 9.2.2). */
const repeatable: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** Whether a request may be repeated: by its method, or because it carries a key by which the other side knows it again. */
export function isRepeatable(method: string, headers: Headers): boolean {
  return repeatable.has(method) || headers.has('idempotency-key');
}

/** Waits before the next attempt. */
export interface RetryWaits {
  readonly delayMs: number;
  readonly maxDelayMs: number;
}

/**
 * How long to wait before the next attempt, ms: what the answer asks for, else the delay, doubled with every attempt, half of it by chance.
 * Null when the answer asks for more than is waited: then it is no use to try.
 *
 * @param retryAfter the header as it came; seconds, or an HTTP date
 * @param attempt the one that has failed, from 1
 * @param random in [0, 1)
 */
export function retryWaitMs(
  { delayMs, maxDelayMs }: RetryWaits,
  retryAfter: string | null,
  attempt: number,
  now: number,
  random: () => number,
): number | null {
  const asked = retryAfter === null ? null : askedMs(retryAfter, now);
  if (asked !== null) return asked > maxDelayMs ? null : asked;
  const ms = Math.min(maxDelayMs, delayMs * 2 ** (attempt - 1));
  return ms / 2 + (ms / 2) * random();
}

function askedMs(text: string, now: number): number | null {
  if (/^\s*\d+\s*$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}

/** Retries of an HTTP client. */
export interface HttpRetryOptions {
  /** How often a request that may be repeated is tried again. Default 3; 0 for never. */
  readonly retries?: number | undefined;
  /** Wait before the second attempt; doubled with each. Default 500 ms. */
  readonly retryDelay?: Duration | undefined;
  /** Longest wait; an answer whose `Retry-After` is longer is not tried again. Default 1 minute. */
  readonly maxRetryDelay?: Duration | undefined;
}
