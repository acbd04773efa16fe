/** Runs that are submitted with a `ttl`: begun in time, or never. */
import { Flow, Task } from 'batuta';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { BatutaError } from '../../../src/base/errors.ts';
import { expiryLoop } from '../../../src/upkeep/expiry.ts';
import { limitsLoop } from '../../../src/upkeep/limits.ts';
import type { Broker } from '../../../src/broker/broker.ts';
import { openBroker } from '../../../src/broker/open.ts';
import { definitionOf } from '../../../src/define/definition.ts';
import { expiresAtIn } from '../../../src/model/submitted.ts';
import { expiryOf } from '../../../src/engine/submit/expiry.ts';
import { makeRun } from '../../../src/engine/submit/make-run.ts';
import { processTicket } from '../../../worker/process-ticket.ts';
import { type OpenEngine, openEngine } from '../../support/open-engine.ts';
import { openTwoClients, type TwoClients } from '../../support/two-clients.ts';

const begun: string[] = [];

@Flow({ name: 'quote', concurrency: { limit: 1 } })
class Quote {
  @Task()
  ask(): string {
    begun.push('quote');
    return 'asked';
  }
}

let open: OpenEngine;
let broker: Broker;
let clients: TwoClients;
beforeAll(async () => {
  clients = await openTwoClients();
});
afterAll(() => clients.close());
beforeEach(async () => {
  begun.length = 0;
  open = await openEngine();
  broker = await openBroker({ url: null, store: open.store });
});
afterEach(async () => {
  await broker.close();
  await open.client.close();
});

const partsOf = () => ({ engine: open.engine, broker, log: pino({ level: 'silent' }) });
const flows = new Map([['quote', definitionOf(Quote)]]);

async function submit(expiresAt: number | null): Promise<string> {
  const run = await makeRun(open.engine.services, definitionOf(Quote), {}, 'SCHEDULED', { expiresAt });
  await open.store.fleet.insertMany([{ run, idempotencyKey: null, expiresAt }]);
  return run.id;
}

const take = (id: string): Promise<boolean> => processTicket({ ...partsOf(), flows }, { kind: 'run', id, epoch: 1 });

test('a worker that comes too late ends the run as Cancelled (Expired), and executes nothing of it; the slot it took is free', async () => {
  const late = await submit(systemClock.now() - 1);
  await take(late);
  expect(await open.store.runs.get(late)).toMatchObject({ state: { type: 'CANCELLED', name: 'Expired' }, startedAt: null, owner: null });
  expect(begun).toEqual([]);
  const inTime = await submit(systemClock.now() + 600_000);
  await take(inTime);
  expect((await open.store.runs.get(inTime))?.state.name).toBe('Completed');
});

test('one that cannot be ended just then is given back, and ended by whoever comes next; it is never executed', async () => {
  const id = await submit(systemClock.now() - 1);
  const failing = vi.spyOn(open.store.expiry, 'end').mockRejectedValueOnce(new BatutaError('STORE_UNAVAILABLE', 'Away.'));
  await expect(take(id)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  failing.mockRestore();
  expect(await open.store.runs.get(id)).toMatchObject({ state: { type: 'SCHEDULED' }, owner: null, recoveries: 0 });
  await take(id);
  expect((await open.store.runs.get(id))?.state.name).toBe('Expired');
  const inTime = await submit(systemClock.now() + 600_000);
  await take(inTime);
  expect((await open.store.runs.get(inTime))?.state.name).toBe('Completed');
  expect(begun).toEqual(['quote']);
});

test('a retry by hand of a run that has expired is executed', async () => {
  const id = await submit(systemClock.now() - 1);
  await take(id);
  await open.client.runs.requeue(id);
  await take(id);
  expect(await open.store.runs.get(id)).toMatchObject({ state: { name: 'Completed' }, attempt: 2 });
});

test('resuming one too late is refused, and ends it', async () => {
  const id = await submit(systemClock.now() - 1);
  await expect(open.engine.resume(id, definitionOf(Quote))).rejects.toMatchObject({ code: 'RUN_STATE_REFUSED' });
  expect((await open.store.runs.get(id))?.state.name).toBe('Expired');
});

test('where nobody is there to execute it, or its limit is used up, it is ended all the same', async () => {
  await open.engine.describe(definitionOf(Quote));
  const alone = await submit(systemClock.now() + 50);
  const [held, waits] = [await submit(null), await submit(systemClock.now() + 50)];
  await open.store.fleet.claimMany([held], { ...open.engine.services.owner, id: 'other' }, 60_000);
  await take(waits);
  const loops = [expiryLoop(partsOf(), { intervalMs: 20 }), limitsLoop(partsOf(), { intervalMs: 20 })];
  for (const loop of loops) await loop.start();
  for (const id of [alone, waits]) await expect.poll(async () => (await open.store.runs.get(id))?.state.name).toBe('Expired');
  for (const loop of loops) await loop.stop();
  expect(begun).toEqual([]);
});

test('over HTTP as by the local client; what is no length of time is refused', async () => {
  for (const client of [clients.local, clients.http]) {
    const handle = await client.enqueue('small', undefined, { ttl: '10 m', queue: 'nobody' });
    const run = await handle.get();
    const [local, http] = [await clients.local.runs.inspect(handle.id), await clients.http.runs.inspect(handle.id)];
    expect(local.run.params).toBe(http.run.params);
    expect(expiresAtIn(local.run.params)).toBeGreaterThanOrEqual(run.createdAt + 590_000);
    await handle.cancel();
    await expect(client.enqueue('small', undefined, { ttl: 'soon' as '1s' })).rejects.toMatchObject({ code: 'DURATION_INVALID' });
    await expect(client.enqueue('small', undefined, { ttl: 0 })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  }
});

test('it counts from when a run is due', () => {
  expect(expiryOf('5m', undefined, 1_000)).toBe(301_000);
  expect(expiryOf('5m', new Date(50_000), 1_000)).toBe(350_000);
  expect(expiryOf('5m', 10, 1_000)).toBe(301_000);
  expect(expiryOf(undefined, 10, 1_000)).toBeNull();
});
