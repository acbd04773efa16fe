/**
 * Submits runs for workers: rows that wait, then the tickets that wake someone.
 *
 * A run is accepted once its row is durable. When the ticket cannot be put, or this process dies before it is, the fleet puts it
 * again after some seconds.
 */
import { BatutaError, isBatutaError } from '../base/errors.ts';
import type { Broker, NewTicket } from '../broker/broker.ts';
import { checkPut } from '../broker/open.ts';
import type { Engine } from '../engine/engine.ts';
import { makeRun } from '../engine/make-run.ts';
import type { FlowDefinition } from '../model/flow.ts';
import type { InsertedRun, WaitingRun } from '../store/store.ts';
import type { EnqueueOptions } from './client.ts';

/** One run to submit. */
export interface Wanted extends EnqueueOptions {
  readonly params?: unknown;
}

/**
 * Validates all, records all, wakes the workers. Gives the runs in the order they were wanted. When one is refused, none exists.
 *
 * @throws BatutaError PARAMS_INVALID, NAME_INVALID (queue), OPTION_INVALID (priority), RESULT_NOT_SERIALIZABLE, STORE_…
 */
export async function enqueueRuns(
  engine: Engine,
  openBroker: () => Promise<Broker>,
  definition: FlowDefinition,
  wanted: readonly Wanted[],
): Promise<readonly InsertedRun[]> {
  const rows: WaitingRun[] = [];
  for (const { params, startAt, idempotencyKey, ...options } of wanted) {
    const run = await makeRun(engine.services, definition, params, 'SCHEDULED', {
      ...options,
      ...(startAt === undefined ? {} : { startAt: Number(startAt) }),
    });
    rows.push({ run, idempotencyKey: idempotencyKey ?? null });
  }
  return await submitRows(engine, openBroker, rows, () => engine.describe(definition));
}

/**
 * Records rows that are made already and wakes the workers; `before` is done once they are known to be allowed.
 *
 * @throws BatutaError NAME_INVALID (queue), OPTION_INVALID (priority, due time), CONFIG_INVALID, STORE_…
 */
export async function submitRows(
  engine: Engine,
  openBroker: () => Promise<Broker>,
  rows: readonly WaitingRun[],
  before: () => Promise<void> = async () => undefined,
): Promise<readonly InsertedRun[]> {
  for (const [queue, tickets] of ticketsOf(rows, () => true)) checkPut(tickets, { queue });
  const tellUnwoken = (err: unknown): void =>
    engine.services.log.warn({ err }, 'The runs are accepted, but no worker could be woken; the fleet will see them within seconds.');
  // Opened before a row exists: settings that lead to no broker are refused, an outage is not.
  const broker = await openBroker().catch((error: unknown) => {
    if (isBatutaError(error, 'BROKER_UNAVAILABLE')) return error;
    throw error;
  });
  await before();
  const placed = await engine.services.store.fleet.insertMany(rows);
  if (broker instanceof BatutaError) {
    tellUnwoken(broker);
    return placed;
  }
  try {
    for (const [queue, tickets] of ticketsOf(rows, (at) => placed[at]?.inserted === true)) await broker.put(tickets, { queue });
  } catch (error) {
    tellUnwoken(error);
  }
  return placed;
}

function ticketsOf(rows: readonly WaitingRun[], isWanted: (at: number) => boolean): ReadonlyMap<string, NewTicket[]> {
  const queues = new Map<string, NewTicket[]>();
  for (const [at, { run }] of rows.entries()) {
    if (!isWanted(at)) continue;
    const queue = run.queue ?? '';
    const tickets = queues.get(queue) ?? [];
    tickets.push({ kind: 'run', id: run.id, epoch: 0, dueAt: run.dueAt, priority: run.priority ?? 0 });
    queues.set(queue, tickets);
  }
  return queues;
}
