/** What a worker does with a ticket that it cannot simply work off: unknown flow, too early, on its way out, suspended. */
import { Flow, type FlowClass, type FlowContext, Task } from 'batuta';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BatutaError } from '../../../src/base/errors.ts';
import type { Broker, NewTicket, PutOptions } from '../../../src/broker/broker.ts';
import { openBroker } from '../../../src/broker/open.ts';
import { definitionOf } from '../../../src/define/definition.ts';
import { makeRun } from '../../../src/engine/submit/make-run.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { NewRun } from '../../../src/store/store.ts';
import { processTicket, type TicketParts } from '../../../worker/process-ticket.ts';
import { type HandClock, handClock } from '../../support/hand-clock.ts';
import { type OpenEngine, openEngine } from '../../support/open-engine.ts';
import { until } from '../../support/room.ts';

const begun: string[] = [];

@Flow({ name: 'plain' })
class Plain {
  @Task() work(): void {
    begun.push('plain');
  }
}

@Flow({ name: 'sleeper' })
class Sleeper {
  async run(_params: unknown, ctx: FlowContext): Promise<void> {
    begun.push('sleeper');
    await ctx.sleep('1h');
  }
}

@Flow({ name: 'limited', concurrency: { limit: 1 } })
class Limited {
  @Task() work(): void {
    begun.push('limited');
  }
}

let hand: HandClock;
let open: OpenEngine;
let broker: Broker;
let put: (NewTicket & PutOptions)[];
let warned: object[];
beforeEach(async () => {
  begun.length = 0;
  [put, warned] = [[], []];
  hand = handClock();
  open = await openEngine({ clock: hand.clock, settings: { suspendOverMs: 0 } });
  broker = await openBroker({ url: null, store: open.store });
  const inner = broker.put.bind(broker);
  Object.assign(broker, {
    put: (ticket: NewTicket, options: PutOptions) => (put.push({ ...ticket, ...options }), inner(ticket, options)),
  });
});
afterEach(async () => {
  await broker.close();
  await open.client.close();
});

const partsOf = (flows: readonly FlowClass[], changes: Partial<TicketParts> = {}): TicketParts => ({
  engine: open.engine,
  broker,
  log: pino({ level: 'warn' }, { write: (line: string) => void warned.push(JSON.parse(line) as object) }),
  flows: new Map(flows.map((flow) => [definitionOf(flow).name, definitionOf(flow)])),
  ...changes,
});

async function submit(flow: FlowClass, changes: Partial<NewRun> = {}): Promise<string> {
  const made = await makeRun(open.engine.services, definitionOf(flow), {}, 'SCHEDULED', {});
  await open.store.fleet.insertMany([{ run: { ...made, ...changes }, idempotencyKey: null }]);
  return made.id;
}

const take = (id: string, parts: TicketParts, wasLeft = false) => processTicket(parts, { kind: 'run', id, epoch: 1 }, wasLeft);
const runOf = async (id: string) => {
  await open.store.recorder.flush();
  return await open.store.runs.get(id);
};

describe('a run whose flow is not known here', () => {
  const message = 'Waits for a worker that knows the flow plain; the last that looked knows sleeper, limited.';

  test('is given back, says what it waits for, and comes by again a little later', async () => {
    const id = await submit(Plain, { queue: 'slow', priority: 7 });
    expect(await take(id, partsOf([Sleeper, Limited]))).toBe(true);
    expect(await runOf(id)).toMatchObject({ owner: null, epoch: 1, recoveries: 0, state: stateOf('SCHEDULED', 'Scheduled', message) });
    expect(put).toMatchObject([{ kind: 'run', id, epoch: 1, queue: 'slow', priority: 7 }]);
    const inMs = (put[0]?.dueAt ?? 0) - hand.clock.now();
    expect(inMs).toBeGreaterThan(0);
    expect(inMs).toBeLessThanOrEqual(5_000);
    expect(await broker.stats('slow')).toMatchObject({ delayed: 1, waiting: 0 });
  });

  test('says so once, and its flow is logged once a worker', async () => {
    const parts = partsOf([Sleeper, Limited], { loggedUnknown: new Set() });
    const ids = [await submit(Plain), await submit(Plain)];
    for (const id of [...ids, ...ids]) await take(id, parts);
    expect(warned).toMatchObject([{ run: ids[0], unknownFlow: 'plain' }]);
    for (const id of ids) expect(await runOf(id)).toMatchObject({ state: { name: 'Scheduled', message }, epoch: 2 });
    const [first = ''] = ids;
    // Without memory of its own it logs each that does not say so yet.
    await take(first, partsOf([Sleeper, Limited]));
    expect(warned).toHaveLength(1);
    await take(first, partsOf([]));
    expect(warned).toHaveLength(2);
    expect((await runOf(first))?.state.message).toContain('knows none');
  });

  test('waits as Resuming when it had been at work, so that nobody takes it for new', async () => {
    const id = await submit(Plain, { state: stateOf('RUNNING') });
    await take(id, partsOf([Sleeper, Limited]));
    expect((await runOf(id))?.state).toEqual(stateOf('SCHEDULED', 'Resuming', message));
  });

  test('goes straight to workers that know it, where there are any; one that they have left to this one does not go back', async () => {
    const left: unknown[] = [];
    const routes: TicketParts['routes'] = {
      find: async ({ flow }, queue) => `${flow} in ${queue}`,
      leave: async (...all) => void left.push(all),
    };
    const id = await submit(Plain, { priority: 7 });
    await take(id, partsOf([], { routes }));
    expect(left).toEqual([[{ kind: 'run', id, epoch: 1, priority: 7 }, 'default', 'plain in default']]);
    expect(await runOf(id)).toMatchObject({ owner: null, state: { message: null } });
    expect(put).toEqual([]);
    await take(id, partsOf([], { routes }), true);
    expect([left.length, put.length]).toEqual([1, 1]);
    expect((await runOf(id))?.state.message).toContain('Waits for a worker');
  });

  test('is cancelled when that was asked for while this worker had it', async () => {
    const id = await submit(Plain);
    const find = async (): Promise<null> => {
      expect(await open.store.runs.requestCancel(id, 1, 'Enough.')).toBe('CANCELLING');
      return null;
    };
    await take(id, partsOf([], { routes: { find, leave: async () => undefined } }));
    expect(await runOf(id)).toMatchObject({ owner: null, state: { type: 'CANCELLED', message: 'Enough.' } });
  });

  test('gives back the slot of its limit to the run that waits for it', async () => {
    await open.engine.describe(definitionOf(Limited));
    const [first, second] = [await submit(Limited), await submit(Limited)];
    const turns: string[] = [];
    const { runs } = open.engine.services.limits;
    runs.carry(async (next) => void turns.push(...next.map(({ id }) => id)));
    const find = async (): Promise<null> => {
      expect((await open.store.fleet.claimMany([second], open.engine.services.owner, 60_000)).size).toBe(0);
      return null;
    };
    await take(first, partsOf([Plain], { routes: { find, leave: async () => undefined } }));
    await runs.settled();
    expect(turns).toEqual([second]);
  });
});

test('a run whose limit only its class knows, and finds used up, is given back and not executed', async () => {
  await open.engine.describe(definitionOf(Limited));
  const { owner } = open.engine.services;
  const [holder, id] = [await submit(Limited), await submit(Limited, { concurrencyKey: null })];
  expect((await open.store.fleet.claimMany([holder], owner, 60_000)).size).toBe(1);
  expect(await take(id, partsOf([Limited]))).toBe(true);
  expect(begun).toEqual([]);
  expect(await runOf(id)).toMatchObject({ owner: null, concurrencyKey: 'flow:limited', state: { name: 'AwaitingSlot' } });
});

test('nothing of a run begins before its instant by the clock of its worker, though the database has it due', async () => {
  const id = await submit(Plain, { dueAt: hand.clock.now() });
  hand.pass(-60_000);
  const taken = take(id, partsOf([Plain]));
  for (let half = 0; half < 2; half++) {
    await until(() => hand.sleeps.size > 0);
    expect(begun).toEqual([]);
    hand.pass(30_000);
    for (const { fire } of [...hand.sleeps.values()]) fire();
  }
  expect(await taken).toBe(true);
  expect((await runOf(id))?.state.name).toBe('Completed');
});

test('a worker that takes nothing more gives back what it has just claimed, with a ticket for another', async () => {
  const id = await submit(Plain);
  const execute = open.engine.execute.bind(open.engine);
  Object.assign(open.engine, {
    execute: async (...all: Parameters<typeof execute>) => (await open.engine.handBack(0), await execute(...all)),
  });
  expect(await take(id, partsOf([Plain]))).toBe(true);
  expect(begun).toEqual([]);
  expect(await runOf(id)).toMatchObject({ owner: null, state: { type: 'SCHEDULED' } });
  expect(put).toMatchObject([{ kind: 'run', id, epoch: 1, dueAt: null, queue: 'default' }]);
});

test('what keeps a run from being executed otherwise is not taken for that', async () => {
  const id = await submit(Plain);
  Object.assign(open.engine, { execute: () => Promise.reject(new BatutaError('STORE_UNAVAILABLE', 'away')) });
  await expect(take(id, partsOf([Plain]))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  expect(put).toEqual([]);
});

test('a run that is suspended has a ticket for its instant', async () => {
  const id = await submit(Sleeper, { queue: 'slow', priority: 7 });
  expect(await take(id, partsOf([Sleeper]))).toBe(true);
  const run = await runOf(id);
  expect(run).toMatchObject({ owner: null, state: { type: 'PAUSED' } });
  expect(put).toEqual([{ kind: 'run', id, epoch: run?.epoch, priority: 7, dueAt: run?.dueAt, queue: 'slow' }]);
});

test.each([
  ['deleted', null],
  ['taken', { owner: { id: 'other', host: 'elsewhere', pid: 1, processStartedAt: 1 } }],
  ['to wait for a signal', { dueAt: null }],
  ['ended', { state: stateOf('CANCELLED') }],
])('a run that was suspended and is %s when its ticket is to be put has none', async (_, changes) => {
  const { get } = open.store.runs;
  const id = await submit(Sleeper);
  Object.assign(open.store.runs, {
    get: async (asked: string) => {
      const run = await get(asked);
      return run && changes && { ...run, ...changes };
    },
  });
  expect(await take(id, partsOf([Sleeper]))).toBe(true);
  expect([begun, put, warned]).toEqual([['sleeper'], [], []]);
});

test('a suspended run whose ticket cannot be put is left to the look for lost tickets', async () => {
  const id = await submit(Sleeper);
  Object.assign(broker, { put: () => Promise.reject(new BatutaError('BROKER_UNAVAILABLE', 'away')) });
  expect(await take(id, partsOf([Sleeper]))).toBe(true);
  expect(warned).toHaveLength(1);
});

test('the end of a run of a tick or a backfill is told to what waits for it; its suspension is not', async () => {
  const told: string[] = [];
  const parts = partsOf([Plain, Sleeper], {
    tickEnded: (deployment) => told.push(deployment),
    backfillRunEnded: (backfill) => told.push(backfill),
  });
  const tick = { deployment: 'nightly', scheduleId: 'schedule', scheduledFor: 1 };
  await take(await submit(Sleeper, { ...tick, backfillId: 'fill' }), parts);
  expect(told).toEqual([]);
  await take(await submit(Plain, { ...tick, scheduledFor: 2, backfillId: 'fill' }), parts);
  expect(told).toEqual(['nightly', 'fill']);
  await take(await submit(Plain, { deployment: 'nightly' }), parts);
  expect(told).toEqual(['nightly', 'fill']);
});

test('hooks of a run that crashed are left to a worker that knows its flow, and stay owed until one comes by', async () => {
  const id = await submit(Plain);
  await open.store.fleet.claimMany([id], { ...open.engine.services.owner, id: 'lost', host: 'elsewhere' }, 0);
  await open.store.fleet.reclaim({ limit: 1, maxRecoveries: 0, goneOwners: [] });
  const left: unknown[] = [];
  const keys: (string | null)[] = ['those that know it', null];
  const routes = { find: async () => keys.shift() ?? null, leave: async (...all: unknown[]) => void left.push(all) };
  expect(await take(id, partsOf([], { routes }))).toBe(true);
  expect(await take(id, partsOf([], { routes }))).toBe(true);
  expect(left).toEqual([[{ kind: 'run', id, epoch: 2 }, 'default', 'those that know it']]);
  expect(await open.store.fleet.owedHooks(id)).not.toBeNull();
});

test('a ticket of a run that is nowhere to be had is dropped', async () => {
  const id = await submit(Plain);
  expect(await take(id, partsOf([Plain]))).toBe(true);
  expect(await take(id, partsOf([Plain]))).toBe(false);
  expect(begun).toEqual(['plain']);
});
