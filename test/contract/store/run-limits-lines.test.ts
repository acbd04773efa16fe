/** How runs stand in line at limits on runs: together, again, after a loss, and when the limit has changed, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stateOf } from '../../../src/model/state.ts';
import type { NewRun, Store } from '../../../src/store/store.ts';
import { claimRuns, declareLimit, finish, insertLimited, key, limited, nextTurns, stateOfRun } from './limited-runs.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { leaseMs, owner, ownerNamed, startedAt } from './rows.ts';

describe.each(makers)('lines at limits on runs on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  const insert = async (count: number): Promise<string[]> => {
    const ids: string[] = [];
    while (ids.length < count) ids.push(await insertLimited(store));
    return ids;
  };
  const begin = async () => {
    const run = { ...limited({ state: stateOf('PENDING') }), concurrencyKey: key };
    return { id: run.id, outcome: await store.limits.start(run, owner, leaseMs) };
  };
  /** A run that had begun when it was lost, and waits for its next owner. */
  const resumed = async (changes: Partial<NewRun> = {}): Promise<string> => {
    const run = limited(changes);
    await store.recorder.addRun(run, ownerNamed('gone'), 0);
    await store.recorder.addRunPatch({ runId: run.id, epoch: 1 }, { state: stateOf('RUNNING'), startedAt }, null);
    await store.fleet.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [] });
    return run.id;
  };

  test('of runs that come together the one of highest priority has the slot, then the one that waits longest', async () => {
    await declareLimit(store, {});
    const [low = ''] = await insert(1);
    const high = await insertLimited(store, { priority: 5 });
    expect(await claimRuns(store, low, high)).toEqual([high]);
    await finish(store, high);
    const [later = ''] = await insert(1);
    expect(await claimRuns(store, later, low)).toEqual([low]);
    await finish(store, low);
    const twins = [await insertLimited(store, { createdAt: startedAt }), await insertLimited(store, { createdAt: startedAt })];
    await claimRuns(store, later);
    await finish(store, later);
    expect(await claimRuns(store, ...twins.toReversed())).toEqual([twins.toSorted()[0]]);
  });

  test('runs that wait and are claimed together have as many slots as are free', async () => {
    await declareLimit(store, { limit: 2 });
    const [first = '', second = '', ...waiters] = await insert(5);
    await claimRuns(store, first, second, ...waiters);
    await finish(store, first);
    await finish(store, second);
    expect((await nextTurns(store)).toSorted()).toEqual(waiters.slice(0, 2));
    expect((await claimRuns(store, ...waiters)).toSorted()).toEqual(waiters.slice(0, 2));
  });

  test('a run that waits already when it is claimed again has one line of history for it', async () => {
    await declareLimit(store, {});
    const [holder = '', waiter = ''] = await insert(2);
    await claimRuns(store, holder, waiter);
    await claimRuns(store, waiter);
    await claimRuns(store, waiter);
    expect((await store.transitions.ofRun(waiter)).map(({ name }) => name)).toEqual(['Scheduled', 'AwaitingSlot']);
  });

  test('a run that came back waits since then: who comes after it stands behind it', async () => {
    await declareLimit(store, {});
    const [holder = ''] = await insert(1);
    await claimRuns(store, holder);
    const back = await resumed();
    expect(await claimRuns(store, back)).toEqual([]);
    const later = await insertLimited(store, { createdAt: Date.now() + 600_000 });
    expect(await claimRuns(store, later)).toEqual([]);
    await finish(store, holder);
    expect(await nextTurns(store)).toEqual([back]);
  });

  test('a run that waited in its process, began and was lost waits anew from then on', async () => {
    await declareLimit(store, {});
    const [first, again] = [await begin(), await begin()];
    await finish(store, first.id);
    expect(await store.limits.take({ runId: again.id, epoch: 1 })).toMatchObject({ kind: 'taken' });
    await store.recorder.addRunPatch({ runId: again.id, epoch: 1 }, { state: stateOf('RUNNING'), startedAt }, null);
    const patient = await insertLimited(store);
    await claimRuns(store, patient);
    await store.fleet.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [owner] });
    expect(await claimRuns(store, again.id)).toEqual([]);
    expect(await nextTurns(store)).toEqual([patient]);
  });

  test('while more hold slots than there are any longer, nobody has a turn; once nothing declares the limit, all have', async () => {
    await declareLimit(store, { limit: 3 });
    const [first = '', ...others] = await insert(5);
    const waiters = others.slice(2);
    await claimRuns(store, first, ...others);
    const waiting = await begin();
    await declareLimit(store, { limit: 1 });
    expect(await nextTurns(store)).toEqual([]);
    expect(await store.limits.mayTake(waiting.id)).toBe(false);
    await declareLimit(store, null);
    expect((await nextTurns(store)).toSorted()).toEqual(waiters.toSorted());
    expect(await store.limits.mayTake(waiting.id)).toBe(true);
    expect(await store.limits.take({ runId: waiting.id, epoch: 1 })).toMatchObject({ kind: 'taken' });
  });

  test('of runs that wait in their processes as many may go on as there are slots free', async () => {
    await declareLimit(store, { limit: 2 });
    const runs = [await begin(), await begin(), await begin(), await begin(), await begin()];
    const [first, second, ...waiters] = runs.map(({ id }) => id);
    await finish(store, first ?? '');
    await finish(store, second ?? '');
    expect(await Promise.all(waiters.map((id) => store.limits.mayTake(id)))).toEqual([true, true, false]);
  });

  test('a run that has its slot keeps it when it asks again, also while there are fewer slots than before', async () => {
    await declareLimit(store, { limit: 2 });
    const [, second] = [await begin(), await begin()];
    await declareLimit(store, { limit: 1 });
    expect(await store.limits.take({ runId: second.id, epoch: 1 })).toMatchObject({ kind: 'taken', state: { name: 'Pending' } });
    expect(await stateOfRun(store, second.id)).toMatchObject({ name: 'Pending' });
  });

  test('a run that waits in its process has that in its history, with its owner, and one that is dropped has ended', async () => {
    await declareLimit(store, {});
    const [, waits] = [await begin(), await begin()];
    expect(await store.transitions.ofRun(waits.id)).toMatchObject([{ name: 'Pending' }, { name: 'AwaitingSlot', owner: owner.id }]);
    await declareLimit(store, { onConflict: 'skip' });
    const dropped = await begin();
    expect(dropped.outcome).toMatchObject({ kind: 'skipped' });
    expect(await store.runs.get(dropped.id)).toMatchObject({ owner: null, state: { type: 'CANCELLED', name: 'Skipped' } });
  });

  describe('where the newest run goes first', () => {
    beforeEach(() => declareLimit(store, { onConflict: 'cancel-running' }));

    test('it does whatever its priority, and that of those that came with it', async () => {
      const older = await insertLimited(store);
      const newer = await insertLimited(store, { priority: 5 });
      expect(await claimRuns(store, older, newer)).toEqual([newer]);
      expect(await stateOfRun(store, older)).toMatchObject({ name: 'Skipped' });
    });

    test('those that come back share what is free, behind those of their queue that waited before', async () => {
      await declareLimit(store, {});
      const [holder = '', waiter = ''] = await insert(2);
      await claimRuns(store, holder, waiter);
      await declareLimit(store, { onConflict: 'cancel-running' });
      await finish(store, holder);
      const [back, elsewhere, other] = [await resumed(), await resumed({ queue: 'gpu' }), await resumed({ queue: 'gpu' })];
      expect(await claimRuns(store, back)).toEqual([]);
      expect(await nextTurns(store)).toContain(waiter);
      expect(await claimRuns(store, elsewhere, other)).toHaveLength(1);
    });

    test('the first in line has the slot that is free, however many stand behind it', async () => {
      await declareLimit(store, {});
      const [holder = '', first = '', ...behind] = await insert(5);
      await claimRuns(store, holder, first, ...behind);
      await declareLimit(store, { onConflict: 'cancel-running' });
      await finish(store, holder);
      expect(await claimRuns(store, first)).toEqual([first]);
    });

    test('one that waited and asks together with a newer one is counted once', async () => {
      await declareLimit(store, {});
      const [holder = '', waiter = '', newest = ''] = await insert(3);
      await claimRuns(store, holder, waiter);
      await declareLimit(store, { onConflict: 'cancel-running', limit: 2 });
      expect(await claimRuns(store, waiter, newest)).toEqual([waiter]);
      expect(await stateOfRun(store, holder)).toMatchObject({ type: 'CANCELLING' });
      await finish(store, holder);
      expect(await claimRuns(store, newest)).toEqual([newest]);
    });
  });
});
