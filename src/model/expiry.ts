/** Until when a run may begin. Pure. */
import type { Run } from './run.ts';
import { expiresAtIn } from './submitted.ts';

/** What a run that has expired says, for people. */
export function expiredMessage(expiresAt: number): string {
  return `No worker began it by ${new Date(expiresAt).toISOString()}, as its ttl demands.`;
}

/**
 * Whether a run that has just been claimed was claimed too late. One that was begun before, opened again or lost by an owner goes on whatever
 * the time.
 *
 * @param leaseMs length of the lease just taken, by which the clock of the store is known
 */
export function hasExpired(run: Run, leaseMs: number): boolean {
  if (run.startedAt !== null || run.attempt > 1 || run.recoveries > 0) return false;
  const expiresAt = expiresAtIn(run.params);
  return expiresAt !== null && (run.leaseUntil ?? 0) - leaseMs >= expiresAt;
}
