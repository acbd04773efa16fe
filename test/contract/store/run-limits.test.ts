/** Limits on runs, over both makers: slots, turns, and who declares them. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Deployment } from '../../../src/model/deployment.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { Store } from '../../../src/store/store.ts';
import { deploymentNamed } from '../../support/deployments.ts';
import { claimRuns, declareLimit, finish, insertLimited, key, nextTurns, stateOfRun, worker } from './limited-runs.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { leaseMs, ownerNamed, startedAt } from './rows.ts';

describe.each(makers)('limits on runs on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  test('of runs under a limit as many are claimed as there are slots; the others say what they wait for', async () => {
    await declareLimit(store, { limit: 2 });
    const ids = [
      await insertLimited(store, { name: 'quick-otter' }),
      await insertLimited(store, { name: 'calm-heron' }),
      await insertLimited(store),
      await insertLimited(store),
    ];
    expect((await claimRuns(store, ...ids)).sort()).toEqual(ids.slice(0, 2));
    expect(await stateOfRun(store, ids[2] ?? '')).toEqual({
      type: 'SCHEDULED',
      name: 'AwaitingSlot',
      message: 'Waits for the limit flow:sync (2 of 2 taken, by quick-otter and calm-heron).',
    });
    expect((await store.transitions.ofRun(ids[2] ?? '')).map(({ name }) => name)).toEqual(['Scheduled', 'AwaitingSlot']);
  });

  test('runs without a limit, and those whose limit nobody declares any more, are claimed at once', async () => {
    const ids = [await insertLimited(store, { concurrencyKey: null }), await insertLimited(store), await insertLimited(store)];
    expect(await claimRuns(store, ...ids)).toHaveLength(3);
  });

  test('a run that waits gets no ticket by the look for lost ones, and one as soon as a slot is free: the longest waiting first', async () => {
    await declareLimit(store, {});
    const [first, second, third] = [await insertLimited(store), await insertLimited(store), await insertLimited(store)];
    await claimRuns(store, first);
    await claimRuns(store, third);
    await claimRuns(store, second);
    expect(await store.fleet.dueUnticketed({ ticketedBeforeMs: 0, limit: 10 })).toEqual([]);
    expect(await nextTurns(store)).toEqual([]);
    await finish(store, first);
    expect(await nextTurns(store)).toEqual([second]);
    expect(await claimRuns(store, third)).toEqual([]);
    expect(await claimRuns(store, second)).toEqual([second]);
    expect(await stateOfRun(store, second)).toEqual({ type: 'PENDING', name: 'Pending', message: null });
  });

  test('a higher priority goes first; a newcomer does not pass those that wait', async () => {
    await declareLimit(store, {});
    const [holder, low, high] = [await insertLimited(store), await insertLimited(store), await insertLimited(store, { priority: 5 })];
    await claimRuns(store, holder);
    await claimRuns(store, low, high);
    await finish(store, holder);
    const newcomer = await insertLimited(store);
    expect(await claimRuns(store, newcomer)).toEqual([]);
    expect(await nextTurns(store)).toEqual([high]);
  });

  test('the ticket of its turn is another than the one that was used up', async () => {
    await declareLimit(store, {});
    const [holder, waiter] = [await insertLimited(store), await insertLimited(store)];
    await claimRuns(store, holder, waiter);
    await finish(store, holder);
    expect(await store.limits.nextRuns({ key, ticketedBeforeMs: 0 })).toMatchObject([{ id: waiter, epoch: 1 }]);
    // It was just put; the net leaves it alone for a while.
    expect(await store.limits.nextRuns({ key: null, ticketedBeforeMs: 10_000 })).toEqual([]);
  });

  test('each key has slots of its own', async () => {
    await declareLimit(store, { key: '{customer}' });
    const ids = [
      await insertLimited(store, { concurrencyKey: 'flow:sync:a' }),
      await insertLimited(store, { concurrencyKey: 'flow:sync:b' }),
      await insertLimited(store, { concurrencyKey: 'flow:sync:a' }),
      await insertLimited(store, { concurrencyKey: 'flow:sync:b' }),
    ];
    expect((await claimRuns(store, ...ids)).sort()).toEqual(ids.slice(0, 2));
  });

  test('whose turn it is at a limit is decided by what its own flow declares', async () => {
    await declareLimit(store, {});
    const ids = [await insertLimited(store), await insertLimited(store)];
    const others: string[] = [];
    await declareLimit(store, {}, 'a-flow');
    for (let at = 0; at < 2; at++) others.push(await insertLimited(store, { flow: 'a-flow', concurrencyKey: 'flow:a-flow' }));
    await claimRuns(store, ...ids, ...others);
    await declareLimit(store, { limit: 5 }, 'a-flow');
    expect(await nextTurns(store)).toEqual([]);
    expect((await store.limits.nextRuns({ key: null, ticketedBeforeMs: 0 })).map(({ id }) => id)).toEqual([others[1]]);
  });

  test('a run whose queue nobody serves does not keep the slot from a run of another queue', async () => {
    await declareLimit(store, {});
    const [holder, gpu, other] = [await insertLimited(store), await insertLimited(store, { queue: 'gpu' }), await insertLimited(store)];
    await claimRuns(store, holder, gpu);
    await finish(store, holder);
    expect(await claimRuns(store, other)).toEqual([other]);
  });

  test('a limit that is raised lets more begin, one that is lowered lets those that run finish', async () => {
    await declareLimit(store, { limit: 2 });
    const ids = [await insertLimited(store), await insertLimited(store), await insertLimited(store), await insertLimited(store)];
    await claimRuns(store, ...ids);
    await declareLimit(store, { limit: 3 });
    expect(await nextTurns(store)).toEqual([ids[2]]);
    await claimRuns(store, ids[2] ?? '');
    await declareLimit(store, { limit: 1 });
    expect(await store.limits.runLimit(key, { flow: 'sync', deployment: null })).toMatchObject({ slots: 1, held: 3, waiting: 1 });
    await finish(store, ids[0] ?? '');
    await finish(store, ids[1] ?? '');
    expect(await nextTurns(store)).toEqual([]);
    await finish(store, ids[2] ?? '');
    expect(await nextTurns(store)).toEqual([ids[3]]);
  });

  test.each([
    ['ends', (id: string) => finish(store, id)],
    [
      'ends, before its owner lets go of it,',
      (id: string) => store.recorder.addRunPatch({ runId: id, epoch: 1 }, { state: stateOf('COMPLETED'), endedAt: startedAt + 1 }, null),
    ],
    ['is given back', async (id: string) => store.runs.release({ runId: id, epoch: (await store.runs.get(id))?.epoch ?? 0 })],
    [
      'is taken over by a process that has not asked for it yet',
      (id: string) => store.runs.claim(id, ownerNamed('next'), leaseMs, () => true),
    ],
    ['is lost with its process', () => store.fleet.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [worker] })],
    ['crashes for good', () => store.fleet.reclaim({ limit: 10, maxRecoveries: 0, goneOwners: [worker] })],
    ['is cancelled, its process being gone', (id: string) => store.runs.requestCancel(id, startedAt, 'No.', () => true)],
    ['is deleted', (id: string) => store.runs.delete(id, { force: true })],
  ])('the slot of a run that %s is free', async (_, lose) => {
    await declareLimit(store, {});
    const [holder, waiter] = [await insertLimited(store), await insertLimited(store)];
    await claimRuns(store, holder, waiter);
    await lose(holder);
    expect(await nextTurns(store)).toEqual([waiter]);
    expect(await claimRuns(store, waiter)).toEqual([waiter]);
  });

  test('a run that was lost and comes back asks for a slot like any other', async () => {
    await declareLimit(store, {});
    const [lost, waiter] = [await insertLimited(store), await insertLimited(store)];
    await claimRuns(store, lost, waiter);
    await store.fleet.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [worker] });
    await claimRuns(store, waiter);
    expect(await claimRuns(store, lost)).toEqual([]);
    expect(await stateOfRun(store, lost)).toMatchObject({ name: 'AwaitingSlot' });
    await finish(store, waiter);
    expect(await claimRuns(store, lost)).toEqual([lost]);
  });

  test('limits are listed with who holds them and who waits', async () => {
    await declareLimit(store, { limit: 4, key: '{customer}' }, 'idle');
    await declareLimit(store, {});
    const [holder, waiter] = [await insertLimited(store, { name: 'quick-otter' }), await insertLimited(store, { name: 'calm-heron' })];
    await claimRuns(store, holder, waiter);
    expect(await store.limits.runLimits()).toMatchObject([
      { name: 'flow:idle:{customer}', slots: 4, held: 0, waiting: 0 },
      { name: key, slots: 1, held: 1, waiting: 1, holders: [{ runId: holder, runName: 'quick-otter' }], waiters: [{ runId: waiter }] },
    ]);
  });

  test('a deployment declares its own; a redeploy holds for those that wait already', async () => {
    const deployment = deploymentNamed('sync-eu', { concurrency: { limit: 1, key: null, onConflict: 'queue' } });
    const put = (changes: Partial<Deployment>) =>
      store.deployments.put([{ deployment: { ...deployment, ...changes }, schedules: [], graph: {}, spec: {} }]);
    await put({});
    const of = { deployment: 'sync-eu', concurrencyKey: 'deployment:sync-eu' };
    const ids = [await insertLimited(store, of), await insertLimited(store, of), await insertLimited(store, of)];
    expect(await claimRuns(store, ...ids)).toEqual([ids[0]]);
    await put({ version: 2, concurrency: { limit: 2, key: null, onConflict: 'queue' } });
    expect((await store.limits.nextRuns({ key: null, ticketedBeforeMs: 0 })).map(({ id }) => id)).toEqual([ids[1]]);
    expect(await store.limits.runLimits()).toMatchObject([{ name: 'deployment:sync-eu', slots: 2, held: 1, waiting: 2 }]);
    await put({ version: 3, concurrency: null });
    expect((await claimRuns(store, ...ids)).sort()).toEqual(ids.slice(1));
  });
});
