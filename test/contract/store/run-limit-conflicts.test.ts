/** Runs that find their limit used up and do not wait for it, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stateOf } from '../../../src/model/state.ts';
import type { Store } from '../../../src/store/store.ts';
import { claimRuns, declareLimit, finish, insertLimited, limited, nextTurns, stateOfRun, worker } from './limited-runs.ts';
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
    const resumed = limited();
    await store.recorder.addRun(resumed, ownerNamed('gone'), 0);
    await store.recorder.addRunPatch({ runId: resumed.id, epoch: 1 }, { state: stateOf('RUNNING'), startedAt }, null);
    await store.fleet.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [] });
    expect(await claimRuns(store, resumed.id)).toEqual([]);
    expect(await stateOfRun(store, resumed.id)).toMatchObject({ name: 'AwaitingSlot' });
  });

  test('where the newest run goes first, it asks the one that runs to end, drops those that wait, and follows', async () => {
    await declareLimit(store, { onConflict: 'cancel-running' });
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

  test('where the newest goes first, the one that has been at work longest goes, whenever it was made', async () => {
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

  test('where the newest goes first, it takes the place of nobody who waits for another limit', async () => {
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

  test('of many that come at once where the newest goes first, the newest goes on', async () => {
    await declareLimit(store, { onConflict: 'cancel-running', limit: 2 });
    const ids = await Promise.all(Array.from({ length: 6 }, () => insertLimited(store)));
    const inOrder = (await Promise.all(ids.map((id) => store.runs.get(id))))
      .toSorted((a, b) => (a?.createdAt ?? 0) - (b?.createdAt ?? 0))
      .map((run) => run?.id ?? '');
    expect((await claimRuns(store, ...ids)).sort()).toEqual(inOrder.slice(-2).sort());
    for (const id of inOrder.slice(0, 4)) expect(await stateOfRun(store, id)).toMatchObject({ type: 'CANCELLED' });
  });
});
