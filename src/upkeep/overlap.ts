/**
 * Releases runs that wait for those of earlier ticks, and cancels those whose place a later tick takes.
 *
 * The worker that executed an ended run does the same at once; this loop is the safety net. Runs in every scheduler; each run is released
 * by one of them.
 */
import type { Loop } from '../base/loop.ts';
import { backfillsChannel } from '../model/deployment.ts';
import { cancelRun, eachApart, type LoopParts, tryPutTickets, upkeepLoop } from './parts.ts';

const message = `A later tick took its place (overlap 'cancel-running').`;

export function overlapLoop(parts: LoopParts, { intervalMs }: { readonly intervalMs: number }): Loop {
  return upkeepLoop(parts, {
    name: 'overlap',
    intervalMs,
    failed: 'Could not check for runs that wait for earlier ones.',
    step: () => settleOverlap(parts),
  });
}

/**
 * Does all that is due now: after new runs had to wait, and as a safety net.
 *
 * @throws BatutaError STORE_…
 */
export async function settleOverlap(parts: LoopParts): Promise<void> {
  await eachApart(
    parts,
    await parts.engine.services.store.ticks.overtaken(),
    (id) => cancelRun(parts, id, message),
    (id) => [{ run: id }, 'A run whose place a later tick takes cannot be cancelled.'],
  );
  await releaseHeld(parts, null);
}

/**
 * Releases those whose turn has come: after runs of ticks of these deployments (null: all) have ended.
 *
 * @throws BatutaError STORE_…
 */
export async function releaseHeld(parts: LoopParts, deployments: readonly string[] | null): Promise<void> {
  const { store, clock } = parts.engine.services;
  await tryPutTickets(parts, await store.ticks.release(deployments), clock.now());
}

/** Does so for all, and for backfills, after unowned runs have ended; if it fails, the safety net follows. */
export async function tryGoOnAfterEnds(parts: LoopParts): Promise<void> {
  try {
    await releaseHeld(parts, null);
    await parts.broker.notify(backfillsChannel, '');
  } catch (error) {
    parts.log.warn({ err: error }, 'Runs that wait for ended ones will be released a moment later.');
  }
}
