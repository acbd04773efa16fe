/** Until when a run may begin. Pure. */
import type { Run } from './run.ts';
import { expiresAtIn } from './submitted.ts';

/** The message of an expired run, for people. */
export function expiredMessage(expiresAt: number): string {
  return `No worker began it by ${new Date(expiresAt).toISOString()}, as its ttl demands.`;
}

/**
 * Whether a run just claimed was claimed too late. A run begun before, reopened or lost by an owner continues at any time.
 *
 * @param leaseMs length of the lease just taken, which reveals the store's clock
 */
export function hasExpired(run: Run, leaseMs: number): boolean {
  if (run.startedAt !== null || run.attempt > 1 || run.recoveries > 0) return false;
  const expiresAt = expiresAtIn(run.params);
  return expiresAt !== null && (run.leaseUntil ?? 0) - leaseMs >= expiresAt;
}
