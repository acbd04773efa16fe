/** Wakes workers for runs that may begin. */
import type { Broker } from '../broker/broker.ts';
import type { Ticketed } from '../store/store.ts';

/** Puts the tickets of these runs into their queues. @throws BatutaError BROKER_UNAVAILABLE, STORE_… */
export async function putRunTickets(broker: Broker, runs: readonly Omit<Ticketed, 'dueAt'>[]): Promise<void> {
  for (const queue of new Set(runs.map((run) => run.queue))) {
    const tickets = runs
      .filter((run) => run.queue === queue)
      .map(({ id, epoch, priority }) => ({ kind: 'run' as const, id, epoch, priority }));
    await broker.put(tickets, { queue });
  }
}
