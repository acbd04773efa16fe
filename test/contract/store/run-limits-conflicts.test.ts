/** Runs that find their limit used up and do not wait for it, or take the place of others, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stateOf } from '../../../src/model/state.ts';
import type { NewRun, Store } from '../../../src/store/store.ts';
import {
  claimRuns,
  declareLimit,
  finish,
  insertLimited,
  insertManyLimited,
  nextTurns,
  resumeLimited,
  stateOfRun,
  worker,
} from './limited-runs.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { leaseMs, startedAt } from './rows.ts';

describe.each(makers)('conflicts at limits on runs on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  test('where runs do not wait, one that finds the limit used up is dropped; one that has begun before waits', async () => {
    await declareLimit(store, { onConflict: 'skip' });
    const [holder, dropped] = [await insertLimited(store, { name: 'quick-otter' }), await insertLimited(store)];
    await claimRuns(store, holder, dropped);
    expect(await stateOfRun(store, dropped)).toEqual({
      type: 'CANCELLED',
      name: 'Skipped',
      message: 'The limit flow:sync was used up (1 of 1 taken, by quick-otter), and its runs do not wait.',
    });
    expect(await store.runs.get(dropped)).toMatchObject({ endedAt: expect.any(Number), owner: null });
    expect((await store.transitions.ofRun(dropped)).at(-1)).toMatchObject({ type: 'CANCELLED', name: 'Skipped' });
    const back = await resumeLimited(store);
    expect(await claimRuns(store, back)).toEqual([]);
    expect(await stateOfRun(store, back)).toMatchObject({ name: 'AwaitingSlot' });
  });

  test('runs beside those that wait or are dropped stay as they are', async () => {
    const bystander = await insertLimited(store, { flow: 'other', concurrencyKey: null });
    await declareLimit(store, {});
    await claimRuns(store, await insertLimited(store), await insertLimited(store));
    expect(await stateOfRun(store, bystander)).toMatchObject({ name: 'Scheduled' });
    await declareLimit(store, { onConflict: 'skip' });
    await claimRuns(store, await insertLimited(store));
    expect(await stateOfRun(store, bystander)).toMatchObject({ name: 'Scheduled' });
    expect(await claimRuns(store, bystander)).toEqual([bystander]);
  });

  describe('where the newest run goes first', () => {
    beforeEach(() => declareLimit(store, { onConflict: 'cancel-running' }));

    test('it asks the one that runs to end, drops those that wait, and follows', async () => {
      const told: string[] = [];
      const claimTelling = (id: string) =>
        store.fleet.claimMany([id], worker, leaseMs, { cancelled: ({ id: cancelled }) => told.push(cancelled) });
      const [oldest, middle, newest] = [
        await insertLimited(store),
        await insertLimited(store),
        await insertLimited(store, { name: 'newest' }),
      ];
      await claimTelling(oldest);
      expect((await claimTelling(middle)).size).toBe(0);
      expect(await stateOfRun(store, oldest)).toMatchObject({ type: 'CANCELLING' });
      expect((await claimTelling(newest)).size).toBe(0);
      expect(await stateOfRun(store, middle)).toMatchObject({
        type: 'CANCELLED',
        message: 'It made room for newest under the limit flow:sync.',
      });
      expect(told).toEqual([oldest, middle]);
      await finish(store, oldest);
      expect(await nextTurns(store)).toEqual([newest]);
      expect((await claimTelling(newest)).size).toBe(1);
    });

    test.each<readonly [string, Partial<NewRun>, Partial<NewRun>]>([
      ['priority', {}, { priority: 5 }],
      ['queue', { queue: 'gpu' }, {}],
    ])('it does whatever its %s, and that of those that came with it', async (_, ofOlder, ofNewer) => {
      const [older, newer] = [await insertLimited(store, ofOlder), await insertLimited(store, ofNewer)];
      expect(await claimRuns(store, older, newer)).toEqual([newer]);
      expect(await stateOfRun(store, older)).toMatchObject({ type: 'CANCELLED', name: 'Skipped' });
    });

    test('the one that has been at work longest goes, whenever it was made', async () => {
      await declareLimit(store, { onConflict: 'cancel-running', limit: 2 });
      const [made, begun] = [await insertLimited(store), await insertLimited(store)];
      await claimRuns(store, made, begun);
      for (const [id, at] of [
        [made, 2],
        [begun, 1],
      ] as const)
        await store.recorder.addRunPatch({ runId: id, epoch: 1 }, { state: stateOf('RUNNING'), startedAt: startedAt + at }, null);
      await claimRuns(store, await insertLimited(store));
      expect([await stateOfRun(store, begun), await stateOfRun(store, made)]).toMatchObject([{ type: 'CANCELLING' }, { type: 'RUNNING' }]);
    });

    test('of many that come at once the newest go on', async () => {
      await declareLimit(store, { onConflict: 'cancel-running', limit: 2 });
      const ids = await Promise.all(Array.from({ length: 6 }, () => insertLimited(store)));
      const inOrder = (await Promise.all(ids.map((id) => store.runs.get(id))))
        .toSorted((a, b) => (a?.createdAt ?? 0) - (b?.createdAt ?? 0))
        .map((run) => run?.id ?? '');
      expect((await claimRuns(store, ...ids)).sort()).toEqual(inOrder.slice(-2).sort());
      for (const id of inOrder.slice(0, 4)) expect(await stateOfRun(store, id)).toMatchObject({ type: 'CANCELLED' });
    });

    test('it takes the place of nobody who waits for another limit', async () => {
      await declareLimit(store, { key: '{customer}' });
      const of = (customer: string) => insertLimited(store, { concurrencyKey: `flow:sync:${customer}` });
      const [holder, waiter] = [await of('a'), await of('a')];
      await claimRuns(store, holder, waiter);
      await declareLimit(store, { key: '{customer}', onConflict: 'cancel-running' });
      const newest = await of('b');
      expect(await claimRuns(store, newest)).toEqual([newest]);
      expect([await stateOfRun(store, holder), await stateOfRun(store, waiter)]).toMatchObject([
        { name: 'Scheduled' },
        { name: 'AwaitingSlot' },
      ]);
    });

    test('one that comes back after a loss takes the place of nobody', async () => {
      const back = await resumeLimited(store);
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
      expect([await claimRuns(store, ending), await claimRuns(store, going)]).toEqual([[ending], [going]]);
      await store.runs.requestCancel(ending, startedAt, 'Not needed.');
      const newest = await insertLimited(store);
      expect(await claimRuns(store, newest)).toEqual([]);
      expect(await stateOfRun(store, going)).toMatchObject({ type: 'SCHEDULED' });
      await finish(store, ending);
      expect(await claimRuns(store, newest)).toEqual([newest]);
    });

    test('those that come back share what is free, behind those of their queue that waited before', async () => {
      await declareLimit(store, {});
      const [holder = '', waiter = ''] = await insertManyLimited(store, 2);
      await claimRuns(store, holder, waiter);
      await declareLimit(store, { onConflict: 'cancel-running' });
      await finish(store, holder);
      const [back, elsewhere, other] = [
        await resumeLimited(store),
        await resumeLimited(store, { queue: 'gpu' }),
        await resumeLimited(store, { queue: 'gpu' }),
      ];
      expect(await claimRuns(store, back)).toEqual([]);
      expect(await nextTurns(store)).toContain(waiter);
      expect(await claimRuns(store, elsewhere, other)).toHaveLength(1);
    });

    test('the first in line has the slot that is free, however many stand behind it', async () => {
      await declareLimit(store, {});
      const [holder = '', first = '', ...behind] = await insertManyLimited(store, 5);
      await claimRuns(store, holder, first, ...behind);
      await declareLimit(store, { onConflict: 'cancel-running' });
      await finish(store, holder);
      expect(await claimRuns(store, first)).toEqual([first]);
    });

    test('one that waited and asks together with a newer one is counted once', async () => {
      await declareLimit(store, {});
      const [holder = '', waiter = '', newest = ''] = await insertManyLimited(store, 3);
      await claimRuns(store, holder, waiter);
      await declareLimit(store, { onConflict: 'cancel-running', limit: 2 });
      expect(await claimRuns(store, waiter, newest)).toEqual([waiter]);
      expect(await stateOfRun(store, holder)).toMatchObject({ type: 'CANCELLING' });
      await finish(store, holder);
      expect(await claimRuns(store, newest)).toEqual([newest]);
    });
  });
});
