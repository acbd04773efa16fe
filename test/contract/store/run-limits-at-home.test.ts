/** Limits on runs whose process owns them from the start, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stateOf } from '../../../src/model/state.ts';
import type { Store } from '../../../src/store/store.ts';
import { declareLimit, finish, insertLimited, key, limited, nextTurns, worker } from './limited-runs.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { leaseMs, owner } from './rows.ts';

describe.each(makers)('limits on runs on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  test('a run that its maker owns has its slot, or waits in its process until its turn', async () => {
    await declareLimit(store, {});
    const begin = async () => {
      const run = { ...limited({ state: stateOf('PENDING') }), concurrencyKey: key };
      return { id: run.id, outcome: await store.limits.start(run, owner, leaseMs) };
    };
    const [first, second, third] = [await begin(), await begin(), await begin()];
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

  test('a run that waits in a process which has died stands in nobody’s way', async () => {
    await declareLimit(store, {});
    const begin = (lease: number) => store.limits.start({ ...limited({ state: stateOf('PENDING') }), concurrencyKey: key }, owner, lease);
    await begin(leaseMs);
    await begin(0);
    const held = await store.limits.runLimit(key, { flow: 'sync', deployment: null });
    expect(held).toMatchObject({ held: 1, waiting: 0 });
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
});
