/** Wakes workers for runs that may begin, or refuses if there are none. */
import type { Broker } from '../broker/broker.ts';
import type { Ticketed } from '../store/store.ts';
import { BatutaError } from '../base/errors.ts';

/** Puts the tickets of these runs into their queues. @throws BatutaError BROKER_UNAVAILABLE, STORE_… */
export async function putRunTickets(broker: Broker, runs: readonly Omit<Ticketed, 'dueAt'>[]): Promise<void> {
  for (const queue of new Set(runs.map((run) => run.queue))) {
    const tickets = runs
      .filter((run) => run.queue === queue)
      .map(({ id, epoch, priority }) => ({ kind: 'run' as const, id, epoch, priority }));
    await broker.put(tickets, { queue });
  }
}

/** For what only workers can do, if none can be reached. */
export function noFleet(): BatutaError {
  return new BatutaError('BROKER_UNAVAILABLE', 'This client runs flows in its own process and reaches no workers; use openClient().');
}
