/**
 * Deletes runs older than the retention of their deployment, else of the settings, result files included; expired values of the cache;
 * events and alerts of that age; and workers that are long gone.
 */
import type { Loop } from '../../src/base/loop.ts';
import { removeResults } from '../../src/engine/values/results.ts';
import type { RemovedRuns } from '../../src/store/store.ts';
import { type LoopParts, upkeepLoop } from '../../src/upkeep/parts.ts';

const intervalMs = 3_600_000;
/** A worker silent for this long is no longer listed. */
const forgottenAfterMs = 3_600_000;
/** The audit is kept for a year, or as long as runs if that is longer. */
const auditKeptMs = 365 * 86_400_000;

/** @param retentionMs null keeps runs forever, except where deployments say otherwise */
export function retentionLoop(parts: LoopParts, { retentionMs }: { readonly retentionMs: number | null }): Loop {
  const { store, clock } = parts.engine.services;
  return upkeepLoop(parts, {
    name: 'retention',
    intervalMs,
    failed: 'Old runs could not be deleted.',
    async step(signal) {
      await store.workers.prune(forgottenAfterMs);
      await store.webhooks.prune();
      if (retentionMs !== null) await store.emitted.prune(clock.now() - retentionMs);
      if (retentionMs !== null) await store.alerts.prune(clock.now() - retentionMs);
      if (retentionMs !== null) await store.audit.prune(clock.now() - Math.max(retentionMs, auditKeptMs));
      const onBatch = (removed: RemovedRuns): Promise<void> => removeResults(parts.engine.services, removed);
      const { runs } = await store.expire({ now: clock.now(), keepMs: retentionMs, signal, onBatch });
      await store.errorGroups.prune();
      if (runs > 0) parts.log.info({ runs }, 'Deleted runs that ended long ago.');
      const { entries, resultRefs } = await store.cache.expire(clock.now(), retentionMs);
      await removeResults(parts.engine.services, { runIds: [], resultRefs });
      if (entries > 0) parts.log.info({ entries }, 'Took values out of the cache whose time was over.');
    },
  });
}
