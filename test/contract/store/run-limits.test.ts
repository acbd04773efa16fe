/** Limits on runs, over both makers: never more than the limit, in turn, and nothing leaks. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeId } from '../../../src/base/id.ts';
import type { Concurrency, Deployment } from '../../../src/model/deployment.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { NewRun, Store } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { endRun, leaseMs, newRun, owner, ownerNamed, startedAt } from './rows.ts';

const key = 'flow:sync';

describe.each(makers)('limits on runs on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  /** A flow that declares how many of its runs may go on. */
  async function declare(concurrency: Partial<Concurrency> | null, name = 'sync'): Promise<void> {
    await store.flows.put({
      ...{
        name,
        version: 'v1',
        description: null,
        tags: [],
        kind: 'graph',
        graph: {},
        paramsSchema: null,
        source: null,
        updatedAt: startedAt,
      },
      concurrency: concurrency === null ? null : { limit: 1, key: null, onConflict: 'queue', ...concurrency },
    });
  }

  let made = 0;
  const limited = (changes: Partial<NewRun> = {}): NewRun =>
    newRun({
      flow: 'sync',
      name: `run-${made}`,
      state: stateOf('SCHEDULED'),
      concurrencyKey: key,
      createdAt: startedAt + made++,
      ...changes,
    });

  async function insert(changes: Partial<NewRun> = {}): Promise<string> {
    const run = limited(changes);
    await store.fleet.insertMany([{ run, idempotencyKey: null }]);
    return run.id;
  }

  const claim = async (...ids: string[]): Promise<string[]> => [
    ...(await store.fleet.claimMany(ids, ownerNamed('worker'), leaseMs)).keys(),
  ];
  const next = async (): Promise<string[]> => (await store.limits.nextRuns({ key, ticketedBeforeMs: 0 })).map(({ id }) => id);
  const stateOfRun = async (id: string) => (await store.runs.get(id))?.state;
  const end = async (id: string): Promise<void> => endRun(store, { runId: id, epoch: (await store.runs.get(id))?.epoch ?? 0 });

  test('of runs under a limit as many are claimed as there are slots; the others say what they wait for', async () => {
    await declare({ limit: 2 });
    const ids = [await insert({ name: 'quick-otter' }), await insert({ name: 'calm-heron' }), await insert(), await insert()];
    expect((await claim(...ids)).sort()).toEqual(ids.slice(0, 2));
    expect(await stateOfRun(ids[2] ?? '')).toEqual({
      type: 'SCHEDULED',
      name: 'AwaitingSlot',
      message: 'Waits for the limit flow:sync (2 of 2 taken, by quick-otter and calm-heron).',
    });
    expect((await store.transitions.ofRun(ids[2] ?? '')).map(({ name }) => name)).toEqual(['Scheduled', 'AwaitingSlot']);
  });

  test('runs without a limit, and those whose limit nobody declares any more, are claimed at once', async () => {
    const ids = [await insert({ concurrencyKey: null }), await insert(), await insert()];
    expect(await claim(...ids)).toHaveLength(3);
  });

  test('a run that waits gets no ticket by the look for lost ones, and one as soon as a slot is free: the longest waiting first', async () => {
    await declare({});
    const [first, second, third] = [await insert(), await insert(), await insert()];
    await claim(first);
    await claim(third);
    await claim(second);
    expect(await store.fleet.dueUnticketed({ ticketedBeforeMs: 0, limit: 10 })).toEqual([]);
    expect(await next()).toEqual([]);
    await end(first);
    expect(await next()).toEqual([second]);
    expect(await claim(third)).toEqual([]);
    expect(await claim(second)).toEqual([second]);
    expect(await stateOfRun(second)).toEqual({ type: 'PENDING', name: 'Pending', message: null });
  });

  test('a higher priority goes first; a newcomer does not pass those that wait', async () => {
    await declare({});
    const [holder, low, high] = [await insert(), await insert(), await insert({ priority: 5 })];
    await claim(holder);
    await claim(low, high);
    await end(holder);
    const newcomer = await insert();
    expect(await claim(newcomer)).toEqual([]);
    expect(await next()).toEqual([high]);
  });

  test('the ticket of its turn is another than the one that was used up', async () => {
    await declare({});
    const [holder, waiter] = [await insert(), await insert()];
    await claim(holder, waiter);
    await end(holder);
    expect(await store.limits.nextRuns({ key, ticketedBeforeMs: 0 })).toMatchObject([{ id: waiter, epoch: 1 }]);
    // It was just put; the net leaves it alone for a while.
    expect(await store.limits.nextRuns({ key: null, ticketedBeforeMs: 10_000 })).toEqual([]);
  });

  test('each key has slots of its own', async () => {
    await declare({ key: '{customer}' });
    const ids = [
      await insert({ concurrencyKey: 'flow:sync:a' }),
      await insert({ concurrencyKey: 'flow:sync:b' }),
      await insert({ concurrencyKey: 'flow:sync:a' }),
    ];
    expect((await claim(...ids)).sort()).toEqual(ids.slice(0, 2));
  });

  test('a run whose queue nobody serves does not keep the slot from a run of another queue', async () => {
    await declare({});
    const [holder, gpu, other] = [await insert(), await insert({ queue: 'gpu' }), await insert()];
    await claim(holder, gpu);
    await end(holder);
    expect(await claim(other)).toEqual([other]);
  });

  test('a limit that is raised lets more begin, one that is lowered lets those that run finish', async () => {
    await declare({ limit: 2 });
    const ids = [await insert(), await insert(), await insert(), await insert()];
    await claim(...ids);
    await declare({ limit: 3 });
    expect(await next()).toEqual([ids[2]]);
    await claim(ids[2] ?? '');
    await declare({ limit: 1 });
    expect(await store.limits.runLimit(key, { flow: 'sync', deployment: null })).toMatchObject({ slots: 1, held: 3, waiting: 1 });
    await end(ids[0] ?? '');
    await end(ids[1] ?? '');
    expect(await next()).toEqual([]);
    await end(ids[2] ?? '');
    expect(await next()).toEqual([ids[3]]);
  });

  test.each([
    ['ends', (id: string) => end(id)],
    ['is given back', async (id: string) => store.runs.release({ runId: id, epoch: (await store.runs.get(id))?.epoch ?? 0 })],
    ['is lost with its process', () => store.fleet.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [ownerNamed('worker')] })],
    ['crashes for good', () => store.fleet.reclaim({ limit: 10, maxRecoveries: 0, goneOwners: [ownerNamed('worker')] })],
    ['is cancelled, its process being gone', (id: string) => store.runs.requestCancel(id, startedAt, 'No.', () => true)],
    ['is deleted', (id: string) => store.runs.delete(id, { force: true })],
  ])('the slot of a run that %s is free', async (_, lose) => {
    await declare({});
    const [holder, waiter] = [await insert(), await insert()];
    await claim(holder, waiter);
    await lose(holder);
    expect(await next()).toEqual([waiter]);
    expect(await claim(waiter)).toEqual([waiter]);
  });

  test('a run that was lost and comes back asks for a slot like any other', async () => {
    await declare({});
    const [lost, waiter] = [await insert(), await insert()];
    await claim(lost, waiter);
    await store.fleet.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [ownerNamed('worker')] });
    await claim(waiter);
    expect(await claim(lost)).toEqual([]);
    expect(await stateOfRun(lost)).toMatchObject({ name: 'AwaitingSlot' });
    await end(waiter);
    expect(await claim(lost)).toEqual([lost]);
  });

  test('a run that comes back waits behind those that waited before it, however old it is', async () => {
    await declare({});
    const [lost, waiter] = [await insert(), await insert()];
    await claim(lost);
    await store.recorder.addRunPatch({ runId: lost, epoch: 1 }, { state: stateOf('RUNNING'), startedAt }, null);
    await claim(waiter);
    await store.fleet.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [ownerNamed('worker')] });
    expect(await claim(lost)).toEqual([]);
    expect(await next()).toEqual([waiter]);
  });

  test('where runs do not wait, one that finds the limit used up is dropped; one that has begun before waits', async () => {
    await declare({ onConflict: 'skip' });
    const [holder, dropped] = [await insert({ name: 'quick-otter' }), await insert()];
    await claim(holder, dropped);
    expect(await stateOfRun(dropped)).toEqual({
      type: 'CANCELLED',
      name: 'Skipped',
      message: 'The limit flow:sync was used up (1 of 1 taken, by quick-otter), and its runs do not wait.',
    });
    expect(await store.runs.get(dropped)).toMatchObject({ endedAt: expect.any(Number), owner: null });
    expect((await store.transitions.ofRun(dropped)).at(-1)).toMatchObject({ type: 'CANCELLED', name: 'Skipped' });
    const resumed = limited();
    await store.recorder.addRun(resumed, ownerNamed('gone'), 0);
    await store.recorder.addRunPatch({ runId: resumed.id, epoch: 1 }, { state: stateOf('RUNNING'), startedAt }, null);
    await store.fleet.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [] });
    expect(await claim(resumed.id)).toEqual([]);
    expect(await stateOfRun(resumed.id)).toMatchObject({ name: 'AwaitingSlot' });
  });

  test('where the newest run goes first, it asks the one that runs to end, drops those that wait, and follows', async () => {
    await declare({ onConflict: 'cancel-running' });
    const told: string[] = [];
    const claimTelling = (id: string) =>
      store.fleet.claimMany([id], ownerNamed('worker'), leaseMs, ({ id: cancelled }) => told.push(cancelled));
    const [oldest, middle, newest] = [await insert(), await insert(), await insert({ name: 'newest' })];
    await claimTelling(oldest);
    expect((await claimTelling(middle)).size).toBe(0);
    expect(await stateOfRun(oldest)).toMatchObject({ type: 'CANCELLING' });
    expect((await claimTelling(newest)).size).toBe(0);
    expect(await stateOfRun(middle)).toMatchObject({ type: 'CANCELLED', message: 'It made room for newest under the limit flow:sync.' });
    expect(told).toEqual([oldest, middle]);
    await end(oldest);
    expect(await next()).toEqual([newest]);
    expect((await claimTelling(newest)).size).toBe(1);
  });

  test('of many that come at once where the newest goes first, the newest goes on', async () => {
    await declare({ onConflict: 'cancel-running', limit: 2 });
    const ids = await Promise.all(Array.from({ length: 6 }, () => insert()));
    const inOrder = (await Promise.all(ids.map((id) => store.runs.get(id))))
      .toSorted((a, b) => (a?.createdAt ?? 0) - (b?.createdAt ?? 0))
      .map((run) => run?.id ?? '');
    expect((await claim(...ids)).sort()).toEqual(inOrder.slice(-2).sort());
    for (const id of inOrder.slice(0, 4)) expect(await stateOfRun(id)).toMatchObject({ type: 'CANCELLED' });
  });

  test('a run that its maker owns has its slot, or waits in its process until its turn', async () => {
    await declare({});
    const begin = async () => {
      const run = { ...limited({ state: stateOf('PENDING') }), concurrencyKey: key };
      return { id: run.id, outcome: await store.limits.start(run, owner, leaseMs) };
    };
    const [first, second, third] = [await begin(), await begin(), await begin()];
    expect(first.outcome).toMatchObject({ kind: 'taken', state: { name: 'Pending' } });
    expect(second.outcome).toMatchObject({ kind: 'waits', state: { name: 'AwaitingSlot' } });
    expect(await store.limits.mayTake(second.id)).toBe(false);
    await end(first.id);
    expect(await store.limits.mayTake(second.id)).toBe(true);
    expect(await store.limits.mayTake(third.id)).toBe(false);
    expect(await store.limits.take({ runId: third.id, epoch: 1 })).toMatchObject({ kind: 'waits' });
    expect(await store.limits.take({ runId: second.id, epoch: 1 })).toMatchObject({ kind: 'taken', state: { name: 'Pending' } });
    expect(await store.limits.take({ runId: second.id, epoch: 1 })).toMatchObject({ kind: 'taken' });
    expect(await store.limits.take({ runId: second.id, epoch: 7 })).toEqual({ kind: 'lost' });
  });

  test('a run that waits in a process which has died stands in nobody’s way', async () => {
    await declare({});
    const begin = (lease: number) => store.limits.start({ ...limited({ state: stateOf('PENDING') }), concurrencyKey: key }, owner, lease);
    await begin(leaseMs);
    await begin(0);
    const held = await store.limits.runLimit(key, { flow: 'sync', deployment: null });
    expect(held).toMatchObject({ held: 1, waiting: 0 });
  });

  test('a limit that only the class of a run knows is looked at before the run begins', async () => {
    await declare({});
    const [first, second] = [await insert({ concurrencyKey: null }), await insert({ concurrencyKey: null })];
    const claims = await store.fleet.claimMany([first, second], ownerNamed('worker'), leaseMs);
    const claimOf = (id: string) => ({ runId: id, epoch: claims.get(id)?.epoch ?? 0 });
    expect(await store.limits.bind(claimOf(first), key)).toMatchObject({ kind: 'taken' });
    expect(await store.limits.bind(claimOf(second), key)).toMatchObject({ kind: 'waits' });
    expect(await store.runs.get(second)).toMatchObject({ owner: null, concurrencyKey: key, state: { name: 'AwaitingSlot' } });
    await end(first);
    expect(await next()).toEqual([second]);
  });

  test('limits are listed with who holds them and who waits', async () => {
    await declare({ limit: 4, key: '{customer}' }, 'idle');
    await declare({});
    const [holder, waiter] = [await insert({ name: 'quick-otter' }), await insert({ name: 'calm-heron' })];
    await claim(holder, waiter);
    expect(await store.limits.runLimits()).toMatchObject([
      { name: 'flow:idle:{customer}', slots: 4, held: 0, waiting: 0 },
      { name: key, slots: 1, held: 1, waiting: 1, holders: [{ runId: holder, runName: 'quick-otter' }], waiters: [{ runId: waiter }] },
    ]);
  });

  test('a deployment declares its own; a redeploy holds for those that wait already', async () => {
    const deployment: Deployment = {
      ...{
        id: makeId(),
        name: 'sync-eu',
        flow: 'sync',
        flowVersion: 'v1',
        source: null,
        version: 1,
        description: null,
        params: '{}',
        tags: [],
      },
      ...{
        queue: 'default',
        priority: 0,
        concurrency: { limit: 1, key: null, onConflict: 'queue' },
        catchup: 'latest',
        catchupWindowMs: 0,
      },
      ...{ overlap: 'allow', retentionMs: null, runName: null, pausedAt: null, origin: 'command', createdAt: 0, updatedAt: 0 },
    } as const;
    const put = (changes: Partial<Deployment>) =>
      store.deployments.put([{ deployment: { ...deployment, ...changes }, schedules: [], graph: {}, spec: {} }]);
    await put({});
    const of = { deployment: 'sync-eu', concurrencyKey: 'deployment:sync-eu' };
    const ids = [await insert(of), await insert(of), await insert(of)];
    expect(await claim(...ids)).toEqual([ids[0]]);
    await put({ version: 2, concurrency: { limit: 2, key: null, onConflict: 'queue' } });
    expect((await store.limits.nextRuns({ key: null, ticketedBeforeMs: 0 })).map(({ id }) => id)).toEqual([ids[1]]);
    expect(await store.limits.runLimits()).toMatchObject([{ name: 'deployment:sync-eu', slots: 2, held: 1, waiting: 2 }]);
    await put({ version: 3, concurrency: null });
    expect((await claim(...ids)).sort()).toEqual(ids.slice(1));
  });

  test('whatever ends, dies, is suspended or cancelled in whatever order, the limit holds and everybody gets a turn', async () => {
    type Step = { readonly what: 'insert' | 'claim' | 'turn' | 'end' | 'suspend' | 'kill' | 'cancel'; readonly at: number };
    const step: fc.Arbitrary<Step> = fc.record({
      what: fc.constantFrom('insert', 'insert', 'claim', 'claim', 'turn', 'turn', 'end', 'end', 'suspend', 'kill', 'cancel'),
      at: fc.nat(1_000),
    });
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
        const flow = `sync-${++round}`;
        const own = { flow, concurrencyKey: `flow:${flow}` };
        await declare({ limit: 2 }, flow);
        const ids: string[] = [];
        const worker = ownerNamed('worker');
        const turns = async (): Promise<string[]> =>
          (await store.limits.nextRuns({ key: own.concurrencyKey, ticketedBeforeMs: 0 })).map(({ id }) => id);
        const held = async (): Promise<readonly string[]> =>
          (await store.limits.runLimit(own.concurrencyKey, { flow, deployment: null })).holders.map(({ runId }) => runId);
        for (const { what, at } of steps) {
          const holders = await held();
          const holder = holders[at % Math.max(1, holders.length)];
          const any = ids[at % Math.max(1, ids.length)];
          if (what === 'insert') ids.push(await insert(own));
          else if (what === 'claim' && any !== undefined) await store.fleet.claimMany([any], worker, leaseMs);
          else if (what === 'turn') await store.fleet.claimMany(await turns(), worker, leaseMs);
          else if (what === 'cancel' && any !== undefined) await store.runs.requestCancel(any, startedAt, 'No.', () => true);
          else if (what === 'kill') await store.fleet.reclaim({ limit: 100, maxRecoveries: 100, goneOwners: [worker] });
          else if (what === 'end' && holder !== undefined) await end(holder);
          else if (what === 'suspend' && holder !== undefined) {
            const epoch = (await store.runs.get(holder))?.epoch ?? 0;
            await store.recorder.addRunPatch({ runId: holder, epoch }, { state: stateOf('PAUSED'), dueAt: startedAt, startedAt }, null);
            await store.runs.release({ runId: holder, epoch });
          }
          expect((await held()).length).toBeLessThanOrEqual(2);
        }
        await store.fleet.reclaim({ limit: 100, maxRecoveries: 100, goneOwners: [worker] });
        for (let left = ids.length * 3; left > 0; left--) {
          await store.fleet.claimMany(ids, worker, leaseMs);
          await store.fleet.claimMany(await turns(), worker, leaseMs);
          for (const id of await held()) await end(id);
        }
        for (const id of ids) expect(['COMPLETED', 'CANCELLED']).toContain((await stateOfRun(id))?.type);
      }),
      { numRuns: maker.name === 'sqlite' ? 30 : 6 },
    );
  }, 60_000);

  test('however many claim at the same time, never more than the limit are held, and all get their turn', async () => {
    await declare({ limit: 3 });
    const others = [store, await here.open(), await here.open(), await here.open()];
    const ids = await Promise.all(Array.from({ length: 40 }, () => insert()));
    const ended: string[] = [];
    let held = 0;
    let most = 0;
    const work = async (at: Store, name: string): Promise<void> => {
      let tickets = ids;
      while (ended.length < ids.length) {
        await new Promise<void>((resolve) => setImmediate(resolve));
        const claimed = await at.fleet.claimMany(tickets.slice(0, 10), ownerNamed(name), leaseMs);
        held += claimed.size;
        most = Math.max(most, held);
        expect(held).toBeLessThanOrEqual(3);
        for (const run of claimed.values()) {
          await new Promise<void>((resolve) => setImmediate(resolve));
          held--;
          await endRun(at, { runId: run.id, epoch: run.epoch });
          ended.push(run.id);
        }
        const turns = await at.limits.nextRuns({ key, ticketedBeforeMs: 0 });
        tickets = turns.length > 0 ? turns.map(({ id }) => id) : ids.filter((id) => !ended.includes(id)).toReversed();
      }
    };
    await Promise.all(others.map((at, index) => work(at, `worker-${index}`)));
    expect(new Set(ended).size).toBe(40);
    expect(ended).toHaveLength(40);
    expect(most).toBeGreaterThan(1);
  });
});
