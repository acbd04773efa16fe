/**
 * Submits runs for workers: rows that wait, then tickets that wake workers.
 *
 * A run is accepted once its row is durable. If the ticket cannot be put, or this process dies before it is, the fleet puts it again after
 * some seconds.
 *
 * The ticket of a single run is sent while its row is written, so that the run begins sooner: workers look for the row briefly
 * (`rowAwaitedMs`). A ticket whose row is never written is dropped.
 */
import { BatutaError, isBatutaError } from '../base/errors.ts';
import { letOthersIn } from '../base/clock.ts';
import type { Broker, NewTicket } from '../broker/broker.ts';
import { checkPut } from '../broker/open.ts';
import { checkIdempotencyKey } from '../engine/submit/check-labels.ts';
import type { Engine } from '../engine/engine.ts';
import { readDebounce } from '../engine/submit/debounce.ts';
import { submitDebounced } from './submit-debounced.ts';
import { expiryOf } from '../engine/submit/expiry.ts';
import { makeRun } from '../engine/submit/make-run.ts';
import type { FlowDefinition } from '../model/flow.ts';
import type { DebouncedCall, InsertedRun, WaitingRun } from '../store/store.ts';
import type { EnqueueOptions } from './client.ts';
import { checkOptions } from './call-options.ts';
import { withoutSubmitted } from '../model/submitted.ts';
import { stopIfLoading } from '../model/loading.ts';

/** How long a worker looks for the row of a ticket that arrived before it, ms; less if it began to look late. */
export const rowAwaitedMs = 60;

/** How many of the known keys of one call are compared with what was submitted before. */
const lookedAt = 20;

/** Runs made in one turn of the event loop. */
const madeAtOnce = 200;

/** One run to submit. */
export interface RunRequest extends EnqueueOptions {
  readonly params?: unknown;
}

/**
 * Validates all, records all, wakes the workers. Returns the runs in the order of the requests. If one is refused, none exists.
 *
 * @throws BatutaError OPTION_UNKNOWN, PARAMS_INVALID, NAME_INVALID (queue), OPTION_INVALID (priority, start, name, tags, idempotency key, ttl),
 *   DURATION_INVALID, RESULT_NOT_SERIALIZABLE, STORE_…
 */
export async function enqueueRuns(
  engine: Engine,
  openBroker: () => Promise<Broker>,
  definition: FlowDefinition,
  requests: readonly RunRequest[],
): Promise<readonly InsertedRun[]> {
  for (const request of requests) checkOptions('enqueue', request);
  await stopIfLoading();
  const rows: WaitingRun[] = [];
  const debounced = new Map<number, DebouncedCall>();
  for (const { params, startAt, idempotencyKey, ttl, debounce, ...options } of requests) {
    if (rows.length > 0 && rows.length % madeAtOnce === 0) await letOthersIn();
    if (idempotencyKey !== undefined) checkIdempotencyKey(idempotencyKey);
    const expiresAt = expiryOf(ttl, startAt, engine.services.clock.now());
    const gathers = debounce && readDebounce(debounce, { startAt, ttl, idempotencyKey });
    const run = await makeRun(engine.services, definition, params, 'SCHEDULED', {
      ...options,
      ...(gathers && { debounceKey: gathers.key }),
      expiresAt,
      ...(startAt === undefined ? {} : { startAt: Number(startAt) }),
    });
    if (gathers) {
      const renames = options.name !== undefined || definition.runName !== null;
      // The worker that begins it finds its limit, by its last parameters. It takes no turns.
      debounced.set(rows.length + debounced.size, { ...gathers, renames, run: { ...run, concurrencyKey: null, fairKey: null } });
    } else rows.push({ run, idempotencyKey: idempotencyKey ?? null, expiresAt });
  }
  const describe = () => engine.describe(definition);
  if (debounced.size > 0 && rows.length === 0) await describe();
  const placed = rows.length === 0 && debounced.size > 0 ? [] : [...(await submitRows(engine, openBroker, rows, describe))];
  await tellOtherParams(engine, rows, placed);
  for (const [at, call] of debounced) placed.splice(at, 0, await submitDebounced(engine, openBroker, call));
  await warnOfUnfitWorkers(engine, definition);
  return placed;
}

/** Flows already looked up, by engine. */
const lookedFor = new WeakMap<Engine, Set<string>>();

/** Warns, once per flow, if workers are running but none knows it or has as many places as its runs take: the runs would wait forever. */
async function warnOfUnfitWorkers(engine: Engine, { name: flow, slots }: FlowDefinition): Promise<void> {
  const flows = lookedFor.get(engine) ?? new Set();
  if (flows.has(flow)) return;
  lookedFor.set(engine, flows.add(flow));
  const { store, log, settings } = engine.services;
  const workers = (await store.workers.list().catch(() => [])).filter(({ silentMs }) => silentMs <= settings.leaseMs);
  const knowing = workers.filter((worker) => Object.hasOwn(worker.flows, flow));
  if (workers.length === 0 || knowing.some(({ concurrency }) => concurrency >= slots)) return;
  if (knowing.length > 0) {
    const most = Math.max(...knowing.map(({ concurrency }) => concurrency));
    log.warn(
      { flow, slots },
      `A run of '${flow}' takes ${slots} places of a worker, and no running worker has more than ${most}; its runs wait until one does.`,
    );
    return;
  }
  log.warn(
    { flow },
    `No running worker knows the flow '${flow}'; its runs wait until one does. A minified class has a different name than in flow files.`,
  );
}

/**
 * Warns of keys already used with other parameters: this reveals a key that is too coarse. The first few suffice; of many submitted again
 * only some are checked.
 */
async function tellOtherParams({ services }: Engine, rows: readonly WaitingRun[], placed: readonly InsertedRun[]): Promise<void> {
  const known = rows.flatMap((row, at) => (placed[at]?.inserted === false ? [{ row, id: placed[at].id }] : []));
  for (const { row, id } of known.slice(0, lookedAt)) {
    // The caller already has the run; one that cannot be read or was deleted meanwhile is skipped.
    const standing = await services.store.runs.get(id).catch(() => null);
    if (standing === null || withoutSubmitted(standing.params) === withoutSubmitted(row.run.params)) continue;
    services.log.warn(
      { run: id, flow: row.run.flow, idempotencyKey: row.idempotencyKey },
      'Its idempotency key was submitted before, with other parameters: the earlier run is kept, the new parameters are ignored.',
    );
  }
}

/**
 * Records prepared rows and wakes the workers; `before` runs once they are known to be allowed.
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
  const { store, clock } = engine.services;
  if (broker instanceof BatutaError) {
    const placed = await store.fleet.insertMany(rows);
    tellUnwoken(broker);
    return placed;
  }
  const put = async (isWanted: (at: number) => boolean): Promise<void> => {
    for (const [queue, tickets] of ticketsOf(rows, isWanted)) await broker.put(tickets, { queue });
  };
  const startedAt = clock.monotonic();
  const inserting = store.fleet.insertMany(rows);
  // A row that may already exist, by its key, is not worth a ticket; a single file for rows and tickets gains nothing.
  const isEarly = rows.length === 1 && rows[0]?.idempotencyKey === null && broker.kind !== 'local';
  const early = isEarly ? put(() => true) : null;
  // A failure is reported below, once the run is accepted.
  early?.catch(() => undefined);
  const placed = await inserting;
  // By now a worker with the early ticket may soon give up.
  const isLate = clock.monotonic() - startedAt > rowAwaitedMs / 2;
  try {
    await early;
    if (early === null || isLate) await put((at) => placed[at]?.inserted === true);
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
