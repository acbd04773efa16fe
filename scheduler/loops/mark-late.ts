/**
 * Marks runs as Late that no worker has taken although they were due a while ago. They are still executed once a worker comes.
 *
 * Runs in every scheduler; each run is marked by one of them.
 */
import type { Loop } from '../../src/base/loop.ts';
import { type LoopParts, upkeepLoop } from '../../src/upkeep/parts.ts';

const intervalMs = 2_000;
const batchRuns = 1_000;

export function markLateLoop(parts: LoopParts, { lateAfterMs }: { readonly lateAfterMs: number }): Loop {
  const { store, lifecycle } = parts.engine.services;
  return upkeepLoop(parts, {
    name: 'mark late',
    intervalMs,
    failed: 'Late runs could not be looked for.',
    async step() {
      const late = await store.ticks.markLate({ lateAfterMs, limit: batchRuns });
      if (late.length > 0 && lifecycle.isObserved) lifecycle.tell({ kind: 'late', runs: late.length });
      if (late.length > 0)
        parts.log.warn({ runs: late.length }, 'Runs wait for longer than they should; are there workers for their queues?');
      return late.length === batchRuns ? 'again' : undefined;
    },
  });
}
