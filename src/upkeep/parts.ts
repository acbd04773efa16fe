/** What the fleet's loops share. */
import type { Logger } from 'pino';
import { isBatutaError } from '../base/errors.ts';
import { type Loop, type LoopOptions, makeLoop } from '../base/loop.ts';
import type { Broker, Ticket } from '../broker/broker.ts';
import type { Engine } from '../engine/engine.ts';
import { cancelBelow } from '../engine/run/cancel.ts';
import { taskQueueOf } from '../model/queue.ts';
import type { Ticketed } from '../store/store.ts';

export interface LoopParts {
  readonly engine: Engine;
  readonly broker: Broker;
  readonly log: Logger;
}

/** Maximum wait of a loop after errors in a row, ms: once a database is back, lost work must not wait for long. */
const maxBackoffMs = 5_000;

/** A loop on the engine's clock. @param failed log message for a failed step */
export function upkeepLoop(
  { engine, log }: Pick<LoopParts, 'engine' | 'log'>,
  { failed, ...options }: Omit<LoopOptions, 'clock' | 'random' | 'onError'> & { readonly failed: string },
): Loop {
  const { leaseClock: clock, random } = engine.services;
  return makeLoop({ maxBackoffMs, clock, random, onError: (error) => log.warn({ err: error }, failed), ...options });
}

/** Cancels a run, here or elsewhere, with its sub-flows. @throws BatutaError RUN_REPORTED, STORE_… */
export async function cancelRun({ engine }: Pick<LoopParts, 'engine'>, id: string, message: string): Promise<void> {
  const { store, clock, isOwnerGone } = engine.services;
  // What this very process executes does not poll for its own writes.
  const here = engine.underWay(id);
  if (here) return here.cancel(message);
  await store.runs.requestCancel(id, clock.now(), message, isOwnerGone);
  await cancelBelow(engine.services, id, message);
}

/** Channel that notifies the owner of a run that its spread tasks have ended; the message is the id of the task run. */
export function taskChannelOf(runId: string): string {
  return `task:${runId}`;
}

/** Tells the owner of a run that one of its spread tasks has ended. Best effort, never rejects. */
export async function tellTaskEnd(broker: Broker, runId: string, taskRunId: string): Promise<void> {
  await broker.notify(taskChannelOf(runId), taskRunId).catch(() => undefined);
}

/**
 * Does it for each item, in order. One that fails by itself is logged and skipped; it does not hold up the others.
 *
 * @throws BatutaError BROKER_UNAVAILABLE, STORE_…: these would fail for all
 */
export async function eachApart<T>(
  { log }: Pick<LoopParts, 'log'>,
  items: Iterable<T>,
  act: (item: T) => Promise<unknown>,
  tell: (item: T) => readonly [fields: object, message: string],
): Promise<void> {
  for (const item of items) {
    try {
      await act(item);
    } catch (error) {
      if (isOutage(error)) throw error;
      const [fields, message] = tell(item);
      log.error({ err: error, ...fields }, message);
    }
  }
}

/** Whether nothing at all works for now: the database or the broker is away, full or damaged. */
export function isOutage(error: unknown): boolean {
  return isBatutaError(error) && (error.code.startsWith('STORE_') || error.code === 'BROKER_UNAVAILABLE');
}

/**
 * Puts the tickets of these runs or spread tasks, each into its queue; skips a queue whose tickets cannot be put.
 *
 * @throws BatutaError BROKER_UNAVAILABLE, STORE_…
 */
export async function putTickets(
  { broker, log }: Pick<LoopParts, 'broker' | 'log'>,
  rows: readonly Ticketed[],
  now: number,
  kind: Ticket['kind'] = 'run',
): Promise<void> {
  const queues = new Map<string, Ticketed[]>();
  for (const row of rows) {
    const queue = kind === 'run' ? row.queue : taskQueueOf(row.queue);
    const waiting = queues.get(queue);
    if (waiting) waiting.push(row);
    else queues.set(queue, [row]);
  }
  await eachApart(
    { log },
    queues,
    ([queue, waiting]) => {
      const tickets = waiting.map(({ id, epoch, priority, dueAt }) => ({
        kind,
        id,
        epoch,
        priority,
        dueAt: dueAt !== null && dueAt > now ? dueAt : null,
      }));
      return broker.put(tickets, { queue });
    },
    ([queue, waiting]) => [{ queue, runs: waiting.length, first: waiting[0]?.id }, 'Tickets of a queue cannot be put.'],
  );
}

/** The same if the broker is available. Otherwise the check for lost tickets puts them once it is back. */
export async function tryPutTickets(
  parts: Pick<LoopParts, 'broker' | 'log'>,
  rows: readonly Ticketed[],
  now: number,
  kind: Ticket['kind'] = 'run',
): Promise<void> {
  await putTickets(parts, rows, now, kind).catch((error: unknown) =>
    parts.log.warn({ err: error }, 'Tickets could not be put; they will be once the broker is back.'),
  );
}
