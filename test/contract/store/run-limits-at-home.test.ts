/** Limits on runs whose process owns them from the start, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { Store } from '../../../src/store/store.ts';
import { claimRuns, declareLimit, finish, insertLimited, key, nextTurns, startLimited, stateOfRun, worker } from './limited-runs.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { leaseMs, owner, ownerNamed, startedAt } from './rows.ts';

describe.each(makers)('limits on runs of their own process on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  test('a run that its maker owns has its slot, or waits in its process until its turn', async () => {
    await declareLimit(store, {});
    const [first, second, third] = [await startLimited(store), await startLimited(store), await startLimited(store)];
    expect(first.outcome).toMatchObject({ kind: 'taken', state: { name: 'Pending' } });
    expect(second.outcome).toMatchObject({ kind: 'waits', state: { name: 'AwaitingSlot' } });
    expect(await store.limits.mayTake(second.id)).toBe(false);
    await finish(store, first.id);
    expect(await store.limits.mayTake(second.id)).toBe(true);
    expect(await store.limits.mayTake(third.id)).toBe(false);
    expect(await store.limits.take({ runId: third.id, epoch: 1 })).toMatchObject({ kind: 'waits' });
    expect(await store.limits.take({ runId: second.id, epoch: 1 })).toMatchObject({ kind: 'taken', state: { name: 'Pending' } });
    expect(await store.limits.take({ runId: second.id, epoch: 1 })).toMatchObject({ kind: 'taken' });
    expect(await store.limits.take({ runId: second.id, epoch: 7 })).toEqual({ kind: 'lost' });
  });

  test('of runs that wait in their processes as many may go on as there are slots free', async () => {
    await declareLimit(store, { limit: 2 });
    const runs = [
      await startLimited(store),
      await startLimited(store),
      await startLimited(store),
      await startLimited(store),
      await startLimited(store),
    ];
    const [first, second, ...waiters] = runs.map(({ id }) => id);
    await finish(store, first ?? '');
    await finish(store, second ?? '');
    expect(await Promise.all(waiters.map((id) => store.limits.mayTake(id)))).toEqual([true, true, false]);
  });

  test('a run that has its slot keeps it when it asks again, also while there are fewer slots than before', async () => {
    await declareLimit(store, { limit: 2 });
    const [, second] = [await startLimited(store), await startLimited(store)];
    await declareLimit(store, { limit: 1 });
    expect(await store.limits.take({ runId: second.id, epoch: 1 })).toMatchObject({ kind: 'taken', state: { name: 'Pending' } });
    expect(await stateOfRun(store, second.id)).toMatchObject({ name: 'Pending' });
  });

  test('a run that waits in a process which has died keeps nobody behind it', async () => {
    await declareLimit(store, {});
    const first = await startLimited(store);
    await startLimited(store, {}, 0);
    expect(await store.limits.runLimit(key, { flow: 'sync', deployment: null })).toMatchObject({ held: 1, waiting: 0 });
    const third = await startLimited(store);
    await finish(store, first.id);
    expect(await store.limits.mayTake(third.id)).toBe(true);
    expect(await store.limits.take({ runId: third.id, epoch: 1 })).toMatchObject({ kind: 'taken' });
  });

  test('a run whose maker owns it has a lease from the start, and its first state with its owner', async () => {
    await declareLimit(store, {});
    const { id } = await startLimited(store);
    expect((await store.fleet.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [] })).waiting).toEqual([]);
    expect((await store.runs.get(id))?.leaseUntil ?? 0).toBeGreaterThan(systemClock.now());
    expect(await store.transitions.ofRun(id)).toMatchObject([{ name: 'Pending', owner: owner.id }]);
  });

  test('a run that waits in its process has that in its history, with its owner, and one that is dropped has ended', async () => {
    await declareLimit(store, {});
    const [, waits] = [await startLimited(store), await startLimited(store)];
    expect(await store.transitions.ofRun(waits.id)).toMatchObject([{ name: 'Pending' }, { name: 'AwaitingSlot', owner: owner.id }]);
    await declareLimit(store, { onConflict: 'skip' });
    const dropped = await startLimited(store);
    expect(dropped.outcome).toMatchObject({ kind: 'skipped' });
    expect(await store.runs.get(dropped.id)).toMatchObject({ owner: null, state: { type: 'CANCELLED', name: 'Skipped' } });
  });

  test('a run that is asked to end while it waits in its process goes on to its end without a slot', async () => {
    await declareLimit(store, {});
    const [first, second, third] = [await startLimited(store), await startLimited(store), await startLimited(store)];
    await store.runs.requestCancel(second.id, startedAt, 'Enough.');
    expect(await store.limits.take({ runId: second.id, epoch: 1 })).toMatchObject({ kind: 'taken', state: { type: 'CANCELLING' } });
    await finish(store, first.id);
    expect(await store.limits.mayTake(third.id)).toBe(true);
  });

  test('a run that waited in its process, began and was lost waits anew from then on', async () => {
    await declareLimit(store, {});
    const [first, again] = [await startLimited(store), await startLimited(store)];
    await finish(store, first.id);
    expect(await store.limits.take({ runId: again.id, epoch: 1 })).toMatchObject({ kind: 'taken' });
    await store.recorder.addRunPatch({ runId: again.id, epoch: 1 }, { state: stateOf('RUNNING'), startedAt }, null);
    const patient = await insertLimited(store);
    await claimRuns(store, patient);
    await store.fleet.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [owner] });
    expect(await claimRuns(store, again.id)).toEqual([]);
    expect(await nextTurns(store)).toEqual([patient]);
  });

  test('each limit is asked for by the run itself: what another holds is nothing to it', async () => {
    await declareLimit(store, { key: '{customer}' });
    const under = async (customer: string) => (await startLimited(store, { concurrencyKey: `flow:sync:${customer}` })).id;
    const [other, holder, waiter] = [await under('a'), await under('b'), await under('b')];
    expect([await store.limits.mayTake(waiter), await store.limits.mayTake(other)]).toEqual([false, false]);
    await finish(store, holder);
    expect(await store.limits.mayTake(waiter)).toBe(true);
    expect(await store.limits.take({ runId: waiter, epoch: 1 })).toMatchObject({ kind: 'taken' });
    expect(await store.runs.get(waiter)).toMatchObject({ state: { type: 'PENDING', name: 'Pending', message: null } });
    expect(await store.limits.mayTake(holder)).toBe(true);
  });

  test('asking for a run that is gone, and for one without a limit, ends at once', async () => {
    expect(await store.limits.take({ runId: 'gone', epoch: 1 })).toEqual({ kind: 'lost' });
    expect(await store.limits.mayTake('gone')).toBe(true);
    const free = await insertLimited(store, { concurrencyKey: null });
    await claimRuns(store, free);
    expect(await store.limits.take({ runId: free, epoch: 1 })).toMatchObject({ kind: 'taken' });
  });

  test('a claim that was given back gets no slot', async () => {
    await declareLimit(store, {});
    const [first, second] = [await startLimited(store), await startLimited(store)];
    await store.runs.release({ runId: second.id, epoch: 1 });
    await finish(store, first.id);
    expect(await store.limits.take({ runId: second.id, epoch: 1 })).toEqual({ kind: 'lost' });
  });

  test('a limit that only the class of a run knows is looked at before the run begins', async () => {
    await declareLimit(store, {});
    const [first, second] = [await insertLimited(store, { concurrencyKey: null }), await insertLimited(store, { concurrencyKey: null })];
    const claims = await store.fleet.claimMany([first, second], worker, leaseMs);
    const claimOf = (id: string) => ({ runId: id, epoch: claims.get(id)?.epoch ?? 0 });
    expect(await store.limits.bind(claimOf(first), key)).toMatchObject({ kind: 'taken' });
    expect(await store.limits.bind(claimOf(second), key)).toMatchObject({ kind: 'waits' });
    expect(await store.runs.get(second)).toMatchObject({ owner: null, concurrencyKey: key, state: { name: 'AwaitingSlot' } });
    await finish(store, first);
    expect(await nextTurns(store)).toEqual([second]);
  });

  test('an owner that has lost its run puts it under no limit, and one that has it puts no other run under it', async () => {
    await declareLimit(store, {});
    const [first, second] = [await insertLimited(store, { concurrencyKey: null }), await insertLimited(store, { concurrencyKey: null })];
    await claimRuns(store, first, second);
    expect(await store.limits.bind({ runId: first, epoch: 7 }, key)).toEqual({ kind: 'lost' });
    expect(await store.limits.bind({ runId: first, epoch: 1, owner: ownerNamed('forgotten') }, key)).toEqual({ kind: 'lost' });
    expect(await store.runs.get(first)).toMatchObject({ concurrencyKey: null });
    expect(await store.limits.bind({ runId: first, epoch: 1 }, key)).toMatchObject({ kind: 'taken' });
    expect([await store.runs.get(first), await store.runs.get(second)]).toMatchObject([{ concurrencyKey: key }, { concurrencyKey: null }]);
  });
});
