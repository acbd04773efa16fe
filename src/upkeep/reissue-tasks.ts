/**
 * Puts the tickets of spread tasks that wait and are due, but for which none was put for a while: the broker may have lost it, or its
 * owner died before it was put. A ticket that is still there stays as it is.
 *
 * Runs in every scheduler and, slower, in every worker; each task run is taken by one of them a round.
 */
import { type Loop, makeLoop } from '../base/loop.ts';
import { type LoopParts, maxBackoffMs, putTickets } from './parts.ts';

/** A ticket that takes longer than this, or than a lease where that is shorter, counts as lost, ms. */
const longestLostAfterMs = 5_000;
/** Task runs of one round; when there are more they wait for workers, not for tickets. */
const batchTasks = 1_000;

export function reissueTasksLoop(parts: LoopParts, { intervalMs }: { readonly intervalMs: number }): Loop {
  const { engine, broker, log } = parts;
  const { store, clock, settings } = engine.services;
  const ticketedBeforeMs = Math.min(longestLostAfterMs, settings.leaseMs);
  return makeLoop({
    name: 'reissue tasks',
    intervalMs,
    maxBackoffMs,
    clock: engine.services.leaseClock,
    random: engine.services.random,
    onError: (error) => log.warn({ err: error }, 'Lost tickets of spread tasks could not be put again.'),
    async step() {
      // While the broker is away, task runs must not count as ticketed.
      if (!(await broker.health()).ok) return;
      await putTickets(parts, await store.spread.dueUnticketed({ ticketedBeforeMs, limit: batchTasks }), clock.now(), 'task');
    },
  });
}
