/** What follows the end of a run that no worker had in its hands: others may have waited for that. */
import type { Run } from '../model/run.ts';
import type { Store, Ticketed } from '../store/store.ts';

export interface AfterEndParts {
  readonly store: Pick<Store, 'ticks'>;
  /** Puts the tickets of runs that may begin. Best effort. */
  readonly ticket: (runs: readonly Ticketed[]) => Promise<void>;
  /** Has schedulers look at once which run of a backfill is next. Best effort. */
  readonly tellBackfills: () => Promise<void>;
}

/**
 * Lets go at once what waits for a run of a tick or a backfill: the next tick of its deployment, the next run of the backfill. A
 * scheduler looks for both within a second as well.
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
