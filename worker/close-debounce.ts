/** Lets a run that gathers calls begin after long enough without a call; until then it is given back. */
import { claimOf } from '../src/engine/lease/claim.ts';
import type { Engine } from '../src/engine/engine.ts';
import type { Broker } from '../src/broker/broker.ts';
import type { Run } from '../src/model/run.ts';
import { debounceKeyIn } from '../src/model/submitted.ts';

/** A run due this soon is waited for, ms: tickets come a moment early, and clocks differ. */
const heldForMs = 1_000;

/** Whether calls may still be added to a claimed run. For most runs this is a mere text search. */
export function isDebounced({ startedAt, attempt, params }: Run): boolean {
  return startedAt === null && attempt === 1 && debounceKeyIn(params) !== null;
}

/**
 * The run with the parameters of the last call, closed to further calls; null if it was given back, or taken by another.
 *
 * @throws BatutaError BROKER_UNAVAILABLE, STORE_…
 */
export async function closeDebounce(parts: { readonly engine: Engine; readonly broker: Broker }, run: Run): Promise<Run | null> {
  const { store, clock, limits } = parts.engine.services;
  let heldMs = 0;
  for (;;) {
    const closing = await store.debounces.close(claimOf(run), heldForMs - heldMs);
    if (closing.kind === 'closed') return closing.run;
    if (closing.kind === 'waits') {
      limits.runs.freed(run.concurrencyKey);
      const { ticket } = closing;
      if (ticket !== null)
        await parts.broker.put(
          { kind: 'run', id: ticket.id, epoch: ticket.epoch, priority: ticket.priority, dueAt: ticket.dueAt },
          { queue: ticket.queue },
        );
      return null;
    }
    await clock.sleep(closing.ms);
    heldMs += closing.ms;
  }
}
