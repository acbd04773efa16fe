/** Whose turn it is at limits on runs when several lines, several limits or several owners meet, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { NewRun, Store } from '../../../src/store/store.ts';
import { claimRuns, declareLimit, finish, insertLimited, key, limited, nextTurns, stateOfRun, worker } from './limited-runs.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { leaseMs, owner, ownerNamed, startedAt } from './rows.ts';

describe.each(makers)('turns at limits on runs on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  const begin = async (changes: Partial<NewRun> = {}, lease = leaseMs) => {
    const run = { ...limited({ state: stateOf('PENDING'), ...changes }), concurrencyKey: key };
    return { id: run.id, outcome: await store.limits.start(run, owner, lease) };
  };
  /** A run that had begun when it was lost, and waits for its next owner. */
  const resumed = async (changes: Partial<NewRun> = {}): Promise<string> => {
    const run = limited(changes);
    await store.recorder.addRun(run, ownerNamed('gone'), 0);
    await store.recorder.addRunPatch({ runId: run.id, epoch: 1 }, { state: stateOf('RUNNING'), startedAt }, null);
    await store.fleet.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [] });
    return run.id;
  };

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

  test('runs of several keys that are claimed together are counted under each of them', async () => {
    await declareLimit(store, { key: '{customer}' });
    const ids: string[] = [];
    for (const customer of ['a', 'b', 'a', 'b']) ids.push(await insertLimited(store, { concurrencyKey: `flow:sync:${customer}` }));
    expect((await claimRuns(store, ...ids)).toSorted()).toEqual(ids.slice(0, 2).toSorted());
  });

  test('a run under a limit whose instant has not come is not claimed, and one that nobody knows is told', async () => {
    await declareLimit(store, {});
    const later = await insertLimited(store, { dueAt: systemClock.now() + 60_000 });
    const missing: string[] = [];
    const claimed = await store.fleet.claimMany([later, 'unknown'], worker, leaseMs, { missing: (id) => missing.push(id) });
    expect([claimed.size, missing]).toEqual([0, ['unknown']]);
    expect(await store.runs.get(later)).toMatchObject({ epoch: 0, state: { name: 'Scheduled' } });
  });

  test('a run that waits in a process which has died keeps nobody behind it', async () => {
    await declareLimit(store, {});
    const first = await begin();
    await begin({}, 0);
    const third = await begin();
    await finish(store, first.id);
    expect(await store.limits.mayTake(third.id)).toBe(true);
    expect(await store.limits.take({ runId: third.id, epoch: 1 })).toMatchObject({ kind: 'taken' });
  });

  test('a run whose maker owns it has a lease from the start, and its first state with its owner', async () => {
    await declareLimit(store, {});
    const { id } = await begin();
    expect((await store.fleet.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [] })).waiting).toEqual([]);
    expect((await store.runs.get(id))?.leaseUntil ?? 0).toBeGreaterThan(systemClock.now());
    expect(await store.transitions.ofRun(id)).toMatchObject([{ name: 'Pending', owner: owner.id }]);
  });

  test('a run that is asked to end while it waits in its process goes on to its end without a slot', async () => {
    await declareLimit(store, {});
    const [first, second, third] = [await begin(), await begin(), await begin()];
    await store.runs.requestCancel(second.id, startedAt, 'Enough.');
    expect(await store.limits.take({ runId: second.id, epoch: 1 })).toMatchObject({ kind: 'taken', state: { type: 'CANCELLING' } });
    await finish(store, first.id);
    expect(await store.limits.mayTake(third.id)).toBe(true);
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
    const [first, second] = [await begin(), await begin()];
    await store.runs.release({ runId: second.id, epoch: 1 });
    await finish(store, first.id);
    expect(await store.limits.take({ runId: second.id, epoch: 1 })).toEqual({ kind: 'lost' });
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

  test('each limit is asked for by the run itself: what another holds is nothing to it', async () => {
    await declareLimit(store, { key: '{customer}' });
    const under = async (customer: string) => {
      const run = { ...limited({ state: stateOf('PENDING') }), concurrencyKey: `flow:sync:${customer}` };
      await store.limits.start(run, owner, leaseMs);
      return run.id;
    };
    const [other, holder, waiter] = [await under('a'), await under('b'), await under('b')];
    expect([await store.limits.mayTake(waiter), await store.limits.mayTake(other)]).toEqual([false, false]);
    await finish(store, holder);
    expect(await store.limits.mayTake(waiter)).toBe(true);
    expect(await store.limits.take({ runId: waiter, epoch: 1 })).toMatchObject({ kind: 'taken' });
    expect(await store.runs.get(waiter)).toMatchObject({ state: { type: 'PENDING', name: 'Pending', message: null } });
    expect(await store.limits.mayTake(holder)).toBe(true);
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

  test('a claim under a limit has its lease, and is lost with it', async () => {
    await declareLimit(store, {});
    const id = await insertLimited(store);
    const run = (await store.fleet.claimMany([id], worker, leaseMs)).get(id);
    expect(run?.leaseUntil ?? 0).toBeGreaterThan(systemClock.now() + leaseMs / 2);
    await store.runs.release({ runId: id, epoch: 1 });
    await store.fleet.claimMany([id], worker, 0);
    expect((await store.fleet.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [] })).waiting).toMatchObject([{ id }]);
  });

  test('the slot of a run that has ended is free before its owner lets go of it', async () => {
    await declareLimit(store, {});
    const [holder, waiter] = [await insertLimited(store), await insertLimited(store)];
    await claimRuns(store, holder, waiter);
    await store.recorder.addRunPatch({ runId: holder, epoch: 1 }, { state: stateOf('COMPLETED'), endedAt: startedAt + 1 }, null);
    expect(await nextTurns(store)).toEqual([waiter]);
  });

  test('a run that had waited for its slot, began and was lost waits anew from then on', async () => {
    await declareLimit(store, {});
    const [first, again, patient] = [await insertLimited(store), await insertLimited(store), await insertLimited(store)];
    await claimRuns(store, first, again);
    await finish(store, first);
    expect(await claimRuns(store, again)).toEqual([again]);
    const epoch = (await store.runs.get(again))?.epoch ?? 0;
    await store.recorder.addRunPatch({ runId: again, epoch }, { state: stateOf('RUNNING'), startedAt }, null);
    await claimRuns(store, patient);
    await store.fleet.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [worker] });
    expect(await claimRuns(store, again)).toEqual([]);
    expect(await nextTurns(store)).toEqual([patient]);
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

  describe('where the newest run goes first', () => {
    beforeEach(() => declareLimit(store, { onConflict: 'cancel-running' }));

    test('one that comes back after a loss takes the place of nobody', async () => {
      const back = await resumed();
      const newest = await insertLimited(store);
      await claimRuns(store, newest);
      expect(await claimRuns(store, back)).toEqual([]);
      expect(await stateOfRun(store, back)).toMatchObject({ name: 'AwaitingSlot' });
      expect(await stateOfRun(store, newest)).toMatchObject({ type: 'SCHEDULED' });
      await finish(store, newest);
      expect(await claimRuns(store, back)).toEqual([back]);
    });

    test('one that waits already when it asks again takes the place of nobody', async () => {
      await declareLimit(store, { onConflict: 'queue' });
      const [oldest, newest] = [await insertLimited(store), await insertLimited(store)];
      await claimRuns(store, oldest, newest);
      await declareLimit(store, { onConflict: 'cancel-running' });
      expect(await claimRuns(store, newest)).toEqual([]);
      expect(await stateOfRun(store, newest)).toMatchObject({ name: 'AwaitingSlot' });
      expect(await stateOfRun(store, oldest)).toMatchObject({ name: 'Scheduled' });
    });

    test('what is ending already makes room, so that nobody else is asked to', async () => {
      await declareLimit(store, { onConflict: 'cancel-running', limit: 2 });
      const [ending, going] = [await insertLimited(store), await insertLimited(store)];
      await claimRuns(store, ending, going);
      await store.runs.requestCancel(ending, startedAt, 'Not needed.');
      const newest = await insertLimited(store);
      expect(await claimRuns(store, newest)).toEqual([]);
      expect(await stateOfRun(store, going)).toMatchObject({ type: 'SCHEDULED' });
      await finish(store, ending);
      expect(await claimRuns(store, newest)).toEqual([newest]);
    });

    test('while there is room nobody has to go', async () => {
      await declareLimit(store, { onConflict: 'cancel-running', limit: 2 });
      const ids = [await insertLimited(store), await insertLimited(store)];
      expect((await claimRuns(store, ids[0] ?? '')).concat(await claimRuns(store, ids[1] ?? ''))).toEqual(ids);
    });

    test('runs of other queues make room as well', async () => {
      const [gpu, newest] = [await insertLimited(store, { queue: 'gpu' }), await insertLimited(store)];
      expect(await claimRuns(store, gpu, newest)).toEqual([newest]);
      expect(await stateOfRun(store, gpu)).toMatchObject({ type: 'CANCELLED' });
    });
  });
});
