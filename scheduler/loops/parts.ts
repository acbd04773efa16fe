/** What the loops of the fleet share. */
import type { Logger } from 'pino';
import type { Broker } from '../../src/broker/broker.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { TicketedRun } from '../../src/store/store.ts';

export interface LoopParts {
  readonly engine: Engine;
  readonly broker: Broker;
  readonly log: Logger;
}

/** Puts the tickets of these runs, each into its queue. @throws BatutaError BROKER_UNAVAILABLE, STORE_… */
export async function putTickets(broker: Broker, runs: readonly TicketedRun[], now: number): Promise<void> {
  const queues = new Map<string, TicketedRun[]>();
  for (const run of runs) queues.set(run.queue, [...(queues.get(run.queue) ?? []), run]);
  for (const [queue, waiting] of queues) {
    const tickets = waiting.map(({ id, epoch, priority, dueAt }) => ({
      kind: 'run' as const,
      id,
      epoch,
      priority,
      dueAt: dueAt !== null && dueAt > now ? dueAt : null,
    }));
    await broker.put(tickets, { queue });
  }
}
