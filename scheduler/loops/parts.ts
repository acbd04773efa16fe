/** What the loops of the fleet share. */
import type { Logger } from 'pino';
import type { Broker, Ticket } from '../../src/broker/broker.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { taskQueueOf } from '../../src/model/queue.ts';
import type { TicketedRun, TicketedTask } from '../../src/store/store.ts';

export interface LoopParts {
  readonly engine: Engine;
  readonly broker: Broker;
  readonly log: Logger;
}

/** Longest wait of a loop after errors in a row, ms: once a database is back, nothing lost shall wait for long. */
export const maxBackoffMs = 5_000;

/** Channel on which the owner of a run hears that its spread tasks have ended; the message is the id of the task run. */
export function taskChannelOf(runId: string): string {
  return `task:${runId}`;
}

/** Tells the owner of a run that one of its spread tasks has ended. Best effort, never rejects. */
export async function tellTaskEnd(broker: Broker, runId: string, taskRunId: string): Promise<void> {
  await broker.notify(taskChannelOf(runId), taskRunId).catch(() => undefined);
}

/** Puts the tickets of these runs or spread tasks, each into its queue. @throws BatutaError BROKER_UNAVAILABLE, STORE_… */
export async function putTickets(
  broker: Broker,
  rows: readonly (TicketedRun | TicketedTask)[],
  now: number,
  kind: Ticket['kind'] = 'run',
): Promise<void> {
  const queues = new Map<string, (TicketedRun | TicketedTask)[]>();
  for (const row of rows) {
    const queue = kind === 'run' ? row.queue : taskQueueOf(row.queue);
    const waiting = queues.get(queue);
    if (waiting) waiting.push(row);
    else queues.set(queue, [row]);
  }
  for (const [queue, waiting] of queues) {
    const tickets = waiting.map(({ id, epoch, priority, dueAt }) => ({
      kind,
      id,
      epoch,
      priority,
      dueAt: dueAt !== null && dueAt > now ? dueAt : null,
    }));
    await broker.put(tickets, { queue });
  }
}

/** The same, when the broker is there. While it is away, the look for lost tickets puts them once it is back. */
export async function tryPutTickets(
  { broker, log }: LoopParts,
  rows: readonly (TicketedRun | TicketedTask)[],
  now: number,
  kind: Ticket['kind'] = 'run',
): Promise<void> {
  await putTickets(broker, rows, now, kind).catch((error: unknown) =>
    log.warn({ err: error }, 'What goes on elsewhere could not be ticketed; it is once the broker is back.'),
  );
}
