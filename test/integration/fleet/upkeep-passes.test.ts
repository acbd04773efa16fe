/** What a pass of the loops that keep a fleet going finds and does, and what it leaves alone. */
import { Flow, Task } from 'batuta';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BatutaError } from '../../../src/base/errors.ts';
import type { Loop } from '../../../src/base/loop.ts';
import type { Broker } from '../../../src/broker/broker.ts';
import { openBroker } from '../../../src/broker/open.ts';
import { definitionOf } from '../../../src/define/definition.ts';
import { describeFlow } from '../../../src/engine/submit/describe-flow.ts';
import { makeRun } from '../../../src/engine/submit/make-run.ts';
import { backfillsChannel } from '../../../src/model/deployment.ts';
import { taskQueueOf } from '../../../src/model/queue.ts';
import type { Owner } from '../../../src/model/run.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { Occurrence } from '../../../src/observe/occurrence.ts';
import { limitsLoop } from '../../../src/upkeep/limits.ts';
import { taskChannelOf } from '../../../src/upkeep/parts.ts';
import { reclaimLoop } from '../../../src/upkeep/reclaim.ts';
import { reissueLoop } from '../../../src/upkeep/reissue.ts';
import { startRun, taskRun } from '../../contract/store/rows.ts';
import { type HandClock, handClock } from '../../support/hand-clock.ts';
import { type OpenEngine, openEngine } from '../../support/open-engine.ts';
import { until } from '../../support/room.ts';

@Flow({ name: 'plain' })
class Plain {
  @Task() work(): number {
    return 1;
  }
}

@Flow({ name: 'limited', concurrency: { limit: 1 } })
class Limited {
  @Task() work(): number {
    return 1;
  }
}

const log = pino({ level: 'silent' });
const lostOwner: Owner = { id: 'lost', host: 'elsewhere', pid: 1, processStartedAt: 1 };
const livingOwner: Owner = { ...lostOwner, id: 'living' };

let hand: HandClock;
let open: OpenEngine;
let broker: Broker;
let told: Occurrence[];
/** Calls of the broker. */
let puts: number;

beforeEach(async () => {
  hand = handClock();
  open = await openEngine({ leaseClock: hand.clock, isOwnerGone: ({ id }) => id === 'lost' });
  broker = await openBroker({ url: null, store: open.store });
  puts = 0;
  const put = broker.put.bind(broker);
  Object.assign(broker, { put: (...asked: Parameters<typeof put>) => (puts++, put(...asked)) });
  told = [];
  open.engine.services.lifecycle.observe((occurrence) => told.push(occurrence));
});
afterEach(async () => {
  await broker.close();
  await open.client.close();
});

const parts = () => ({ engine: open.engine, broker, log });
const waitingIn = async (queue: string): Promise<number> => (await broker.stats(queue)).waiting;

/** One pass, with those that follow at once. */
async function pass(loop: Loop): Promise<void> {
  await loop.start();
  // It waits for the next.
  await until(() => hand.timers.size > 0);
  await loop.stop();
}

async function submit(count: number, flow: typeof Plain | typeof Limited = Plain): Promise<string[]> {
  const { engine, store } = open;
  const rows = [];
  await store.flows.put(describeFlow(definitionOf(flow), 1));
  for (let at = 0; at < count; at++)
    rows.push({ run: await makeRun(engine.services, definitionOf(flow), {}, 'SCHEDULED', {}), idempotencyKey: null });
  return (await store.fleet.insertMany(rows)).map(({ id }) => id);
}

/** A spread task run that waits for a worker. */
async function offer(): Promise<{ readonly id: string; readonly runId: string }> {
  const run = await startRun(open.store);
  const row = taskRun(run.runId, 'crunch', { state: stateOf('SCHEDULED'), attempt: 0, startedAt: null });
  await open.store.spread.offer(run, [{ taskRun: row, queue: 'default', priority: 0, inputs: null, inputsRef: null }]);
  return { id: row.id, runId: run.runId };
}

describe('the look for lost tickets', () => {
  const reissue = () => reissueLoop(parts(), { intervalMs: 60_000, lostAfterMs: 0 });

  test('puts those of runs and of spread tasks, each into its queue, and tells how many', async () => {
    const [id = ''] = await submit(1);
    const task = await offer();
    // That of a task counts as lost after a lease where that is shorter.
    await pass(reissueLoop({ ...parts(), engine: withLease(0) }, { intervalMs: 60_000 }));
    const taken: unknown[] = [];
    for (const queue of ['default', taskQueueOf('default')]) {
      expect(await waitingIn(queue)).toBe(1);
      broker.consume(queue, { concurrency: 1 }, async (ticket) => void taken.push(ticket));
    }
    await until(() => taken.length === 2);
    expect(taken).toMatchObject([
      { kind: 'run', id, epoch: 0 },
      { kind: 'task', id: task.id, epoch: 0 },
    ]);
    expect(told).toEqual([
      { kind: 'reissued', work: 'run', tickets: 1 },
      { kind: 'reissued', work: 'task', tickets: 1 },
    ]);
  });

  /** The engine, as if its leases were that long. */
  function withLease(leaseMs: number): OpenEngine['engine'] {
    const services = { ...open.engine.services, settings: { ...open.engine.services.settings, leaseMs } };
    return new Proxy(open.engine, { get: (target, name) => (name === 'services' ? services : Reflect.get(target, name)) });
  }

  test('leaves a ticket alone that may still be on its way', async () => {
    await submit(1);
    await offer();
    await pass(reissueLoop(parts(), { intervalMs: 60_000 }));
    expect([puts, told]).toEqual([0, []]);
  });

  test('takes nothing for ticketed while the broker is away', async () => {
    const [id = ''] = await submit(1);
    Object.assign(broker, { health: async () => ({ ok: false, latencyMs: null, problem: 'It is away.' }) });
    await pass(reissue());
    expect(puts).toBe(0);
    expect(await open.store.fleet.dueUnticketed({ ticketedBeforeMs: 0, limit: 10 })).toMatchObject([{ id }]);
  });

  test('goes on at once while there are more, but fills no queue that is long already', async () => {
    await submit(2_500);
    await pass(reissue());
    expect(await waitingIn('default')).toBe(2_000);
    expect(told).toEqual(Array.from({ length: 2 }, () => ({ kind: 'reissued', work: 'run', tickets: 1_000 })));
  });

  test('puts those of one kind although those of the other cannot be read', async () => {
    await submit(1);
    await offer();
    Object.assign(open.store.fleet, { dueUnticketed: () => Promise.reject(new Error('a bad row')) });
    await pass(reissueLoop({ ...parts(), engine: withLease(0) }, { intervalMs: 60_000 }));
    expect(await waitingIn(taskQueueOf('default'))).toBe(1);
  });

  test('makes the whole pass again once a database is back that was away', async () => {
    await submit(1);
    const { dueUnticketed } = open.store.fleet;
    let asks = 0;
    const away = new BatutaError('STORE_UNAVAILABLE', 'away');
    Object.assign(open.store.fleet, {
      dueUnticketed: (options: Parameters<typeof dueUnticketed>[0]) => (asks++ === 0 ? Promise.reject(away) : dueUnticketed(options)),
    });
    const loop = reissueLoop(parts(), { intervalMs: 60_000, lostAfterMs: 0 });
    await loop.start();
    await until(() => hand.timers.size > 0);
    expect(puts).toBe(0);
    for (const { fire } of [...hand.timers.values()]) fire();
    await until(() => puts === 1);
    await until(() => hand.timers.size > 0);
    await loop.stop();
  });
});

describe('the look for lost processes', () => {
  const reclaim = (maxRecoveries = 3) => reclaimLoop(parts(), { intervalMs: 60_000, maxRecoveries });
  const lose = (ids: readonly string[], owner = lostOwner, leaseMs = 60_000) => open.store.fleet.claimMany(ids, owner, leaseMs);

  test('takes back whatever a process held that is gone, however much, puts tickets, and leaves the living alone', async () => {
    const ids = await submit(150);
    const [living = ''] = await submit(1);
    await lose(ids);
    await lose([living], livingOwner);
    await pass(reclaim());
    expect(await waitingIn('default')).toBe(150);
    expect(await open.store.runs.get(living)).toMatchObject({ owner: { id: 'living' } });
    expect(told).toEqual([
      { kind: 'reclaimed', work: 'run', waiting: 100, ended: 0 },
      { kind: 'reclaimed', work: 'run', waiting: 50, ended: 0 },
    ]);
  });

  test('says nothing when nothing was lost', async () => {
    const [living = ''] = await submit(1);
    await lose([living], livingOwner);
    await pass(reclaim());
    expect([puts, told]).toEqual([0, []]);
  });

  test('gives a spread task to another worker; one that has lost too many ends, and the owner of its run is told', async () => {
    const { id, runId } = await offer();
    const living = await offer();
    await open.store.spread.claimMany([living.id], livingOwner, 60_000);
    const messages: string[] = [];
    await broker.subscribe(taskChannelOf(runId), (message) => messages.push(message));
    await open.store.spread.claimMany([id], lostOwner, 60_000);
    await pass(reclaim());
    expect([await waitingIn(taskQueueOf('default')), await waitingIn('default'), messages]).toEqual([1, 0, []]);
    await open.store.spread.claimMany([id], lostOwner, 60_000);
    await pass(reclaim(0));
    await until(() => messages.length > 0);
    expect(messages).toEqual([id]);
    expect(told).toEqual([
      { kind: 'reclaimed', work: 'task', waiting: 1, ended: 0 },
      { kind: 'reclaimed', work: 'task', waiting: 0, ended: 1 },
    ]);
    expect(await open.store.spread.owners()).toEqual([livingOwner]);
  });

  test('tells the end of a run that has lost too many, with its flow, puts the ticket of its hooks, and cancels its sub-flows', async () => {
    const [id = ''] = await submit(1);
    const child = await startRun(open.store, { parentRunId: id });
    const messages: string[] = [];
    await broker.subscribe(backfillsChannel, () => messages.push('an end'));
    await lose([id]);
    await pass(reclaim(0));
    expect((await open.store.runs.get(child.runId))?.state.type).toBe('CANCELLING');
    await until(() => messages.length > 0);
    expect(told).toMatchObject([
      { kind: 'reclaimed', work: 'run', waiting: 0, ended: 1 },
      { kind: 'ended', flow: 'plain', state: { type: 'CRASHED' } },
    ]);
    expect(await waitingIn('default')).toBe(1);
  });

  test('gives the slot of a lost run on at once', async () => {
    const [holder = '', waiter = ''] = await submit(2, Limited);
    await lose([holder]);
    await lose([waiter], livingOwner);
    expect(await open.store.runs.get(waiter)).toMatchObject({ owner: null, state: { name: 'AwaitingSlot' } });
    await pass(reclaim());
    const taken: string[] = [];
    broker.consume('default', { concurrency: 1 }, async ({ id }) => void taken.push(id));
    await until(() => taken.includes(waiter));
  });

  test('takes back spread tasks although runs cannot be read', async () => {
    const { id } = await offer();
    await open.store.spread.claimMany([id], lostOwner, 60_000);
    Object.assign(open.store.fleet, { owners: () => Promise.reject(new Error('a bad row')) });
    await pass(reclaim());
    expect(await waitingIn(taskQueueOf('default'))).toBe(1);
  });
});

describe('the look for free slots', () => {
  const look = () => limitsLoop(parts(), { intervalMs: 60_000 });

  test('puts the ticket of a run whose turn it is, once within some seconds', async () => {
    const ids = await submit(2, Limited);
    await open.store.fleet.claimMany(ids, livingOwner, 60_000);
    await pass(look());
    expect(puts).toBe(0);
    const holder = (await Promise.all(ids.map((id) => open.store.runs.get(id)))).find((run) => run?.owner?.id === 'living');
    await open.store.runs.requestCancel(holder?.id ?? '', 1, 'Enough.', () => true);
    const { nextRuns } = open.store.limits;
    const asked: number[] = [];
    Object.assign(open.store.limits, {
      nextRuns: ({ key, ticketedBeforeMs }: Parameters<typeof nextRuns>[0]) => (
        asked.push(ticketedBeforeMs), nextRuns({ key, ticketedBeforeMs: 0 })
      ),
    });
    await pass(look());
    expect([asked, puts, await waitingIn('default')]).toEqual([[5_000], 1, 1]);
  });

  test('tells the processes whose tasks got slots', async () => {
    const messages: string[] = [];
    await broker.subscribe('limits', (message) => messages.push(message));
    await open.store.limits.setTagLimit('tag:db', 1);
    const [lost, waits] = [await startRun(open.store), await startRun(open.store)];
    const wish = ({ runId }: { readonly runId: string }) => ({
      ...{ holder: runId, runId, epoch: 1, spread: false, names: ['tag:db'], task: 'load', priority: 0 },
    });
    await open.store.limits.askSlots('living', [wish(lost), wish(waits)]);
    await pass(look());
    await open.store.runs.release(lost);
    await pass(look());
    await until(() => messages.length > 0);
    expect(messages).toEqual(['free']);
  });
});
