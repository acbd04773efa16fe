/** Waiting for a lock that another process holds. */
import { systemClock } from '../../base/clock.ts';
import { isBusy } from '../errors.ts';

const firstWaitMs = 1;
const longestWaitMs = 50;

/**
 * Calls `attempt` until it gets the lock.
 *
 * SQLite itself waits a little inside each attempt; between them the loop is free. Gives up with the last error after `timeoutMs`. Always
 * by the real clock: the other process does not live in the time of a test.
 */
export async function retryBusy<T>(timeoutMs: number, attempt: () => T): Promise<T> {
  const startedAt = systemClock.monotonic();
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error) || systemClock.monotonic() - startedAt > timeoutMs) throw error;
    }
    await systemClock.sleep(waitMs);
  }
}
