/** Removing the large results of runs that were deleted. */
import { isBatutaError } from '../../base/errors.ts';
import type { RemovedRuns } from '../../store/store.ts';
import type { EngineServices } from '../services.ts';

/**
 * Removes what nothing points at any more: what the runs had recorded, and what a process that died in between had stored without being
 * able to record it. A result that another run names as well stays.
 *
 * A crash in the middle leaves files that nobody needs.
 */
export async function removeResults(
  { store, results, log }: Pick<EngineServices, 'store' | 'results' | 'log'>,
  { runIds, resultRefs }: RemovedRuns,
): Promise<void> {
  for (const key of resultRefs) {
    await results.remove(key).catch((error: unknown) => {
      if (!isBatutaError(error, 'RESULT_MISSING')) throw error;
      log.warn({ err: error, code: error.code }, 'A run that was deleted named a result that is none of ours; it was left alone.');
    });
  }
  for (const runId of runIds) await results.sweep(runId, (keys) => store.keptResults(keys));
}
