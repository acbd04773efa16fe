/** How runs stand in line at limits on runs, and whose turn it is: together, in several queues, again, after a loss, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { Store } from '../../../src/store/store.ts';
import {
  claimRuns,
  declareLimit,
  finish,
  insertLimited,
  insertManyLimited,
  key,
  limited,
  nextTurns,
  resumeLimited,
  startLimited,
  worker,
} from './limited-runs.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { leaseMs, startedAt } from './rows.ts';

describe.each(makers)('lines at limits on runs on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  test('of runs that come together the one of highest priority has the slot, then the one that waits longest', async () => {
    await declareLimit(store, {});
    const [low = ''] = await insertManyLimited(store, 1);
    const high = await insertLimited(store, { priority: 5 });
    expect(await claimRuns(store, low, high)).toEqual([high]);
    await finish(store, high);
    const [later = ''] = await insertManyLimited(store, 1);
    expect(await claimRuns(store, later, low)).toEqual([low]);
    await finish(store, low);
    const twins = [await insertLimited(store, { createdAt: startedAt }), await insertLimited(store, { createdAt: startedAt })];
    await claimRuns(store, later);
    await finish(store, later);
    expect(await claimRuns(store, ...twins.toReversed())).toEqual([twins.toSorted()[0]]);
  });

  test('runs that wait and are claimed together have as many slots as are free', async () => {
    await declareLimit(store, { limit: 2 });
    const [first = '', second = '', ...waiters] = await insertManyLimited(store, 5);
    await claimRuns(store, first, second, ...waiters);
    await finish(store, first);
    await finish(store, second);
    expect((await nextTurns(store)).toSorted()).toEqual(waiters.slice(0, 2));
    expect((await claimRuns(store, ...waiters)).toSorted()).toEqual(waiters.slice(0, 2));
  });

  test('a run that waits already when it is claimed again has one line of history for it', async () => {
    await declareLimit(store, {});
    const [holder = '', waiter = ''] = await insertManyLimited(store, 2);
    await claimRuns(store, holder, waiter);
    await claimRuns(store, waiter);
    await claimRuns(store, waiter);
    expect((await store.transitions.ofRun(waiter)).map(({ name }) => name)).toEqual(['Scheduled', 'AwaitingSlot']);
  });

  test('a run that came back waits since then: who comes after it stands behind it', async () => {
    await declareLimit(store, {});
    const [holder = ''] = await insertManyLimited(store, 1);
    await claimRuns(store, holder);
    const back = await resumeLimited(store);
    expect(await claimRuns(store, back)).toEqual([]);
    const later = await insertLimited(store, { createdAt: Date.now() + 600_000 });
    expect(await claimRuns(store, later)).toEqual([]);
    await finish(store, holder);
    expect(await nextTurns(store)).toEqual([back]);
  });

  test.each([
    ['waits behind those that waited before it, however old it is', false],
    ['that it had waited for waits anew from then on', true],
  ])('a run that lost its slot %s', async (_, hasWaited) => {
    await declareLimit(store, {});
    const first = await insertLimited(store);
    const [lost, patient] = [await insertLimited(store), await insertLimited(store)];
    if (hasWaited) await claimRuns(store, first, lost);
    if (hasWaited) await finish(store, first);
    expect(await claimRuns(store, lost)).toEqual([lost]);
    const epoch = (await store.runs.get(lost))?.epoch ?? 0;
    await store.recorder.addRunPatch({ runId: lost, epoch }, { state: stateOf('RUNNING'), startedAt }, null);
    await claimRuns(store, patient);
    await store.fleet.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [worker] });
    expect(await claimRuns(store, lost)).toEqual([]);
    expect(await nextTurns(store)).toEqual([patient]);
  });

  test('while more hold slots than there are any longer, nobody has a turn; once nothing declares the limit, all have', async () => {
    await declareLimit(store, { limit: 3 });
    const [first = '', ...others] = await insertManyLimited(store, 5);
    const waiters = others.slice(2);
    await claimRuns(store, first, ...others);
    const waiting = await startLimited(store);
    await declareLimit(store, { limit: 1 });
    expect(await nextTurns(store)).toEqual([]);
    expect(await store.limits.mayTake(waiting.id)).toBe(false);
    await declareLimit(store, null);
    expect((await nextTurns(store)).toSorted()).toEqual(waiters.toSorted());
    expect(await store.limits.mayTake(waiting.id)).toBe(true);
    expect(await store.limits.take({ runId: waiting.id, epoch: 1 })).toMatchObject({ kind: 'taken' });
  });

  test('runs of several queues that are claimed together share the slots of their limit', async () => {
    await declareLimit(store, { limit: 2 });
    const ids = [
      await insertLimited(store),
      await insertLimited(store, { queue: 'gpu' }),
      await insertLimited(store, { queue: 'slow' }),
      await insertLimited(store, { queue: 'gpu' }),
    ];
    expect(await claimRuns(store, ...ids)).toHaveLength(2);
    expect((await store.limits.runLimit(key, { flow: 'sync', deployment: null })).held).toBe(2);
  });

  test('a free slot is offered to every queue in which runs wait for it, and one gets it', async () => {
    await declareLimit(store, {});
    const [holder, gpu, slow] = [
      await insertLimited(store),
      await insertLimited(store, { queue: 'gpu' }),
      await insertLimited(store, { queue: 'slow' }),
    ];
    await claimRuns(store, holder, gpu, slow);
    await finish(store, holder);
    expect((await nextTurns(store)).toSorted()).toEqual([gpu, slow].toSorted());
    expect(await claimRuns(store, gpu, slow)).toHaveLength(1);
  });

  test('the look over all limits gives the turn of each, and that of none twice within a while', async () => {
    await declareLimit(store, { key: '{customer}' });
    const of = (customer: string) => insertLimited(store, { concurrencyKey: `flow:sync:${customer}` });
    const pairs = [
      [await of('a'), await of('a')] as const,
      [await of('b'), await of('b')] as const,
      [await of('c'), await of('c')] as const,
    ];
    await claimRuns(store, ...pairs.flat());
    for (const [holder] of pairs) await finish(store, holder);
    const look = async (ticketedBeforeMs: number) =>
      (await store.limits.nextRuns({ key: null, ticketedBeforeMs })).map(({ id }) => id).toSorted();
    const waiters = pairs.map(([, waiter]) => waiter).toSorted();
    expect(await look(0)).toEqual(waiters);
    expect(await look(60_000)).toEqual([]);
    expect((await claimRuns(store, ...waiters)).toSorted()).toEqual(waiters);
  });

  test('a run under a limit whose instant has not come is not claimed, and one that nobody knows is told', async () => {
    await declareLimit(store, {});
    const later = await insertLimited(store, { dueAt: systemClock.now() + 60_000 });
    const missing: string[] = [];
    const claimed = await store.fleet.claimMany([later, 'unknown'], worker, leaseMs, { missing: (id) => missing.push(id) });
    expect([claimed.size, missing]).toEqual([0, ['unknown']]);
    expect(await store.runs.get(later)).toMatchObject({ epoch: 0, state: { name: 'Scheduled' } });
  });

  test('a run that was planned for later waits behind one whose instant came first, however long ago it was made', async () => {
    await declareLimit(store, {});
    const holder = await insertLimited(store);
    const planned = await insertLimited(store, { scheduledFor: startedAt + 86_400_000 });
    const later = await insertLimited(store);
    await claimRuns(store, holder, planned, later);
    await finish(store, holder);
    expect(await nextTurns(store)).toEqual([later]);
  });

  test('a run of an instant that was long past when it was made waits since it was made', async () => {
    await declareLimit(store, {});
    const holder = await insertLimited(store);
    const early = await insertLimited(store, { scheduledFor: startedAt + 86_400_000, createdAt: startedAt });
    const late = await insertLimited(store, { scheduledFor: startedAt - 86_400_000, createdAt: startedAt + 2 * 86_400_000 });
    await claimRuns(store, holder, early, late);
    await finish(store, holder);
    expect(await nextTurns(store)).toEqual([early]);
  });

  test('a run that slept and finds the limit used up has its turn as soon as a slot is free, whatever it was due at', async () => {
    await declareLimit(store, {});
    const [asleep, holder] = [await insertLimited(store), await insertLimited(store)];
    await claimRuns(store, asleep);
    const dueAt = systemClock.now() + 500;
    await store.recorder.addRunPatch({ runId: asleep, epoch: 1 }, { state: stateOf('PAUSED'), dueAt, startedAt }, null);
    await store.runs.release({ runId: asleep, epoch: 1 });
    await claimRuns(store, holder);
    expect(await claimRuns(store, asleep)).toEqual([]);
    expect(await store.runs.get(asleep)).toMatchObject({ state: { type: 'SCHEDULED', name: 'AwaitingSlot' }, dueAt: null });
    await finish(store, holder);
    expect(await store.limits.nextRuns({ key, ticketedBeforeMs: 0 })).toMatchObject([{ id: asleep, dueAt: null }]);
  });

  test('a run that never had a ticket gets that of its turn once within a while', async () => {
    await declareLimit(store, {});
    const holder = await insertLimited(store);
    const waiter = limited();
    await store.runs.insert(waiter);
    await claimRuns(store, holder, waiter.id);
    await finish(store, holder);
    const turn = async () => (await store.limits.nextRuns({ key, ticketedBeforeMs: 60_000 })).map(({ id }) => id);
    expect([await turn(), await turn()]).toEqual([[waiter.id], []]);
  });

  test('a claim under a limit has its lease, and is lost with it', async () => {
    await declareLimit(store, {});
    const id = await insertLimited(store);
    const run = (await store.fleet.claimMany([id], worker, leaseMs)).get(id);
    expect(run?.leaseUntil ?? 0).toBeGreaterThan(systemClock.now() + leaseMs / 2);
    await store.runs.release({ runId: id, epoch: 1 });
    await store.fleet.claimMany([id], worker, 0);
    expect((await store.fleet.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [] })).waiting).toMatchObject([{ id }]);
  });
});
