/** What keeps a fleet going: one thing that fails holds up no other, and what was taken by the wrong worker goes to the right one. */
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Flow, Task } from 'batuta';
import { BatutaError } from '../../../src/base/errors.ts';
import type { Broker, Ticket } from '../../../src/broker/broker.ts';
import { openBroker } from '../../../src/broker/open.ts';
import { definitionOf } from '../../../src/define/definition.ts';
import { makeRun } from '../../../src/engine/submit/make-run.ts';
import { flowsKey, queueOfFlows } from '../../../src/model/queue.ts';
import { settleOverlap } from '../../../src/upkeep/overlap.ts';
import { putTickets } from '../../../src/upkeep/parts.ts';
import { reclaimLoop } from '../../../src/upkeep/reclaim.ts';
import { FlowRoutes } from '../../../worker/flow-routes.ts';
import { takeSuspect } from '../../../worker/take-suspect.ts';
import { gate } from '../../support/make-flow.ts';
import { type OpenEngine, openEngine } from '../../support/open-engine.ts';

@Flow()
class Plain {
  @Task() work(): number {
    return 1;
  }
}

let open: OpenEngine;
let broker: Broker;
const log = pino({ level: 'silent' });
beforeEach(async () => {
  open = await openEngine();
  broker = await openBroker({ url: null, store: open.store });
});
afterEach(async () => {
  await broker.close();
  await open.client.close();
});

async function submit(count: number): Promise<string[]> {
  const { engine, store } = open;
  const rows = [];
  for (let at = 0; at < count; at++)
    rows.push({ run: await makeRun(engine.services, definitionOf(Plain), {}, 'SCHEDULED', {}), idempotencyKey: null });
  return (await store.fleet.insertMany(rows)).map(({ id }) => id);
}

/** A process claims these and is lost. */
async function claimAsLost(ids: readonly string[]): Promise<void> {
  const lost = { ...open.engine.services.owner, id: `lost-${ids.join()}`, host: 'elsewhere' };
  expect((await open.store.fleet.claimMany(ids, lost, 0)).size).toBe(ids.length);
}

const parts = () => ({ engine: open.engine, broker, log });

test('tickets of a queue that cannot be put hold up none of another queue', async () => {
  const ticket = { epoch: 1, priority: 0, dueAt: null };
  await putTickets(
    parts(),
    [
      { ...ticket, id: 'first', queue: 'no queue has this name' },
      { ...ticket, id: 'second', queue: 'default' },
    ],
    0,
  );
  expect(await broker.stats('default')).toMatchObject({ waiting: 1 });
});

test('a run whose sub-flows cannot be cancelled holds up none that was lost with it', async () => {
  const { store } = open;
  const ids = await submit(3);
  for (const id of ids) await claimAsLost([id]);
  const { children } = store.runs;
  const asked: string[] = [];
  Object.assign(store.runs, {
    children: (id: string) => (asked.push(id), id === asked[0] ? Promise.reject(new Error('a bad row')) : children(id)),
  });
  const gaveSlots = gate();
  const { sweepSlots } = store.limits;
  Object.assign(store.limits, { sweepSlots: () => (gaveSlots.open(), sweepSlots()) });
  const loop = reclaimLoop(parts(), { intervalMs: 60_000, maxRecoveries: 0 });
  await loop.start();
  await gaveSlots.opened;
  await loop.stop();
  expect(asked.toSorted()).toEqual(ids.toSorted());
});

test('a run whose place cannot be taken holds up none whose place can', async () => {
  const { store } = open;
  const [bad = '', good = ''] = await submit(2);
  Object.assign(store.ticks, { overtaken: async () => [bad, good] });
  const { requestCancel } = store.runs;
  Object.assign(store.runs, {
    requestCancel: (...asked: Parameters<typeof requestCancel>) =>
      asked[0] === bad ? Promise.reject(new Error('a bad row')) : requestCancel(...asked),
  });
  await settleOverlap(parts());
  expect((await store.runs.get(good))?.state.name).toBe('Cancelled');
});

test('while the database is away nothing is left out: the whole pass fails, to be made again', async () => {
  const { store } = open;
  Object.assign(store.ticks, { overtaken: async () => ['one', 'two'] });
  Object.assign(store.runs, { requestCancel: () => Promise.reject(new BatutaError('STORE_UNAVAILABLE', 'away')) });
  await expect(settleOverlap(parts())).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
});

test('a run on trial whose ticket came to a worker that does not know its flow goes straight to one that does', async () => {
  const { store, engine } = open;
  const ids = await submit(2);
  for (let loss = 0; loss < 2; loss++) {
    await claimAsLost(ids);
    await store.fleet.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [] });
  }
  const versions = { plain: 'other' };
  const { id: _, ...rest } = engine.services.owner;
  await store.workers.beat({
    ...{
      id: 'knows',
      name: 'knows',
      version: '0',
      queues: ['default'],
      flows: versions,
      concurrency: 1,
      running: 0,
      startedAt: 0,
      lagMs: 0,
    },
    ...{ host: rest.host, pid: rest.pid },
  });
  const arrived = gate();
  const got: Ticket[] = [];
  broker.consume(queueOfFlows('default', flowsKey(versions)), { concurrency: 1 }, async (ticket) => (got.push(ticket), arrived.open()));
  const queues = { names: ['default'], isQuiet: false, serveFlows: () => undefined };
  const routes = new FlowRoutes({ services: engine.services, broker, flows: new Map(), queues });
  const offered: unknown[] = [];
  const quarantine = { offer: (what: unknown) => void offered.push(what) };
  const ticket = { kind: 'run', id: ids[0] ?? '', epoch: 5 } as const;
  await takeSuspect({ store, flows: new Map(), quarantine, routes }, ticket, 'default');
  await arrived.opened;
  expect([got, offered]).toMatchObject([[ticket], []]);
  // One that was left to this worker is not sent on in a circle; one whose flow it knows is taken on.
  await takeSuspect({ store, flows: new Map(), quarantine, routes }, ticket, null);
  await takeSuspect({ store, flows: new Map([['plain', definitionOf(Plain)]]), quarantine, routes }, ticket, null);
  expect([got.length, offered]).toEqual([1, [{ kind: 'run', id: ids[0] }]]);
});
