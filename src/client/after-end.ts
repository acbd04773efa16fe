/** What follows the end of a run that no worker held: others may have waited for it. */
import type { Run } from '../model/run.ts';
import type { Store, Ticketed } from '../store/store.ts';

export interface AfterEndParts {
  readonly store: Pick<Store, 'ticks'>;
  /** Puts the tickets of runs that may begin. Best effort. */
  readonly ticket: (runs: readonly Ticketed[]) => Promise<void>;
  /** Has schedulers find the next run of a backfill at once. Best effort. */
  readonly tellBackfills: () => Promise<void>;
}

/**
 * Releases at once what waits for a run of a tick or a backfill: the next tick of its deployment, the next run of the backfill. A scheduler
 * checks both within a second as well.
 *
 * @throws BatutaError STORE_…
 */
export async function goOnAfter(
  { deployment, scheduleId, backfillId }: Pick<Run, 'deployment' | 'scheduleId' | 'backfillId'>,
  { store, ticket, tellBackfills }: AfterEndParts,
): Promise<void> {
  if (scheduleId !== null && deployment !== null) {
    const next = await store.ticks.release([deployment]);
    if (next.length > 0) await ticket(next);
  }
  if (backfillId !== null) await tellBackfills();
}
