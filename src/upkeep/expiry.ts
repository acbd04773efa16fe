/**
 * Ends runs that have not begun by the deadline of their `ttl` while no worker takes them.
 *
 * Runs in every scheduler and, slower, in every worker; each run is ended by one of them. A worker that claims one too late ends it itself.
 */
import type { Loop } from '../base/loop.ts';
import { stateOf } from '../model/state.ts';
import { type LoopParts, upkeepLoop } from './parts.ts';

/** Runs per transaction. */
const batch = 100;

export function expiryLoop(parts: LoopParts, { intervalMs }: { readonly intervalMs: number }): Loop {
  const { store, limits, lifecycle } = parts.engine.services;
  return upkeepLoop(parts, {
    name: 'expiry',
    intervalMs,
    failed: 'Runs that have not begun in time could not be looked for.',
    async step() {
      const { ended, hasMore } = await store.expiry.expire({ limit: batch });
      for (const { flow, concurrencyKey } of ended) {
        limits.runs.freed(concurrencyKey);
        if (lifecycle.isObserved) lifecycle.tell({ kind: 'ended', flow, state: stateOf('CANCELLED', 'Expired') });
      }
      if (ended.length > 0) parts.log.warn({ runs: ended.length }, 'Runs were not begun by the instant that their ttl demands.');
      return hasMore ? 'again' : undefined;
    },
  });
}
