/** Waiting for a lock that another process holds, without holding up the event loop for long. */
import type { Clock } from '../../base/clock.ts';
import { isBusy } from '../errors.ts';

const firstWaitMs = 1;
const longestWaitMs = 50;

/**
 * Calls `attempt` until it gets the lock.
 *
 * SQLite itself waits a little inside each attempt; between them the loop is free. Gives up with the last error once
 * `timeoutMs` are over.
 */
export async function retryBusy<T>(clock: Clock, timeoutMs: number, attempt: () => T): Promise<T> {
  const startedAt = clock.monotonic();
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error) || clock.monotonic() - startedAt > timeoutMs) throw error;
    }
    await clock.sleep(waitMs);
  }
}
