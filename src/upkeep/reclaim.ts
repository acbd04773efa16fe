/**
 * Gives runs whose owner is lost to others: their lease is over, or their process of this host has ended.
 *
 * Runs in every scheduler and, slower, in every worker; each lost run is found by one of them. A crash in the middle leaves runs
 * that wait without a ticket, which `reissue` finds.
 */
import { type Loop, makeLoop } from '../base/loop.ts';
import { cancelBelow } from '../engine/run/cancel.ts';
import { tryGiveOnSlots } from './limits.ts';
import { tryGoOnAfterEnds } from './overlap.ts';
import { eachApart, type LoopParts, maxBackoffMs, tryPutTickets } from './parts.ts';

/** Runs of one transaction. */
const batchRuns = 100;

export interface ReclaimLoopOptions {
  readonly intervalMs: number;
  readonly maxRecoveries: number;
}

export function reclaimLoop(parts: LoopParts, { intervalMs, maxRecoveries }: ReclaimLoopOptions): Loop {
  const { engine, log } = parts;
  const { store, clock, isOwnerGone } = engine.services;
  return makeLoop({
    name: 'reclaim',
    intervalMs,
    maxBackoffMs,
    clock: engine.services.leaseClock,
    random: engine.services.random,
    onError: (error) => log.warn({ err: error }, 'Lost runs could not be looked for.'),
    async step() {
      const goneOwners = (await store.fleet.owners()).filter(isOwnerGone);
      const { waiting, ended, crashed } = await store.fleet.reclaim({ limit: batchRuns, maxRecoveries, goneOwners });
      for (const { id, message } of ended) log.warn({ run: id }, message);
      await eachApart(
        parts,
        ended,
        ({ id, message }) => cancelBelow(engine.services, id, message),
        ({ id }) => [{ run: id }, 'The sub-flows of a run that has ended cannot be cancelled.'],
      );
      if (waiting.length > 0) log.warn({ runs: waiting.length }, 'Processes were lost; their runs go on elsewhere.');
      await tryPutTickets(parts, [...waiting, ...crashed], clock.now());
      if (waiting.length + ended.length > 0) await tryGiveOnSlots(parts);
      if (ended.length > 0) await tryGoOnAfterEnds(parts);
      return waiting.length + ended.length >= batchRuns ? 'again' : undefined;
    },
  });
}
