/**
 * Puts the tickets of runs that wait and are due, but for which none was put for a while: the broker may have lost it, the
 * submitter may have died, or their instant has come. So for crashed runs whose hooks nobody has called. A ticket that is still there
 * stays as it is.
 *
 * Runs in every scheduler and, slower, in every worker; each run is taken by one of them a round.
 */
import { type Loop, makeLoop } from '../base/loop.ts';
import { type LoopParts, maxBackoffMs, putTickets } from './parts.ts';

/** A ticket that takes longer than this, or than a lease where that is shorter, counts as lost, ms. */
const longestLostAfterMs = 10_000;
/** Runs of one round. */
const batchRuns = 1_000;

export interface ReissueLoopOptions {
  readonly intervalMs: number;
  /** How long a ticket may take before it counts as lost, ms; default 10 s, or a lease where that is shorter. */
  readonly lostAfterMs?: number;
}

export function reissueLoop(parts: LoopParts, { intervalMs, lostAfterMs }: ReissueLoopOptions): Loop {
  const { engine, broker, log } = parts;
  const { store, clock, settings } = engine.services;
  const ticketedBeforeMs = lostAfterMs ?? Math.min(longestLostAfterMs, settings.leaseMs);
  return makeLoop({
    name: 'reissue',
    intervalMs,
    maxBackoffMs,
    clock: engine.services.leaseClock,
    random: engine.services.random,
    onError: (error) => log.warn({ err: error }, 'Lost tickets could not be put again.'),
    async step() {
      // While the broker is away, runs must not count as ticketed.
      if (!(await broker.health()).ok) return undefined;
      const hooks = await store.fleet.hooksUnticketed({ ticketedBeforeMs, limit: batchRuns });
      if (hooks.length > 0) await putTickets(parts, hooks, clock.now());
      const runs = await store.fleet.dueUnticketed({ ticketedBeforeMs, limit: batchRuns });
      const [first] = runs;
      if (first === undefined) return undefined;
      await putTickets(parts, runs, clock.now());
      // A queue that is long only waits for its workers; one that is short has lost its tickets.
      return runs.length === batchRuns && (await broker.stats(first.queue)).waiting < 2 * batchRuns ? 'again' : undefined;
    },
  });
}
