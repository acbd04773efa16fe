/** When a request is retried, and after what wait. */
import type { Duration } from '../../base/duration.ts';

/** Statuses that are temporary. */
export const passingStatuses: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Methods that may be repeated: a second request changes nothing more than the first (RFC 9110, 9.2.2). */
const repeatable: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** Whether a request may be repeated: by its method, or because it carries an idempotency key. */
export function isRepeatable(method: string, headers: Headers): boolean {
  return repeatable.has(method) || headers.has('idempotency-key');
}

/** Waits before the next attempt. */
export interface RetryWaits {
  readonly delayMs: number;
  readonly maxDelayMs: number;
}

/**
 * Wait before the next attempt, ms: as the response asks, else the delay, doubled with every attempt, half of it random. Null if the
 * response asks for more than the maximum: then retrying is pointless.
 *
 * @param retryAfter the header as sent; seconds, or an HTTP date
 * @param attempt the failed one, from 1
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
  /** How often a repeatable request is retried. Default 3; 0 for never. */
  readonly retries?: number | undefined;
  /** Wait before the second attempt; doubles each time. Default 500 ms. */
  readonly retryDelay?: Duration | undefined;
  /** Longest wait; a longer `Retry-After` ends the retries. Default 1 minute. */
  readonly maxRetryDelay?: Duration | undefined;
}
