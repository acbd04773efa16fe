/** Calls that are gathered into one run, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { Run } from '../../../src/model/run.ts';
import type { Claim, DebouncedCall, Store } from '../../../src/store/store.ts';
import { makers, type Place } from './makers.ts';
import { leaseMs, newRun, ownerNamed } from './rows.ts';

const worker = ownerNamed('worker');
const minute = 60_000;

describe.each(makers)('calls that are debounced, on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  const call = (text: string, changes: Partial<DebouncedCall> = {}): DebouncedCall => ({
    run: newRun({ state: stateOf('SCHEDULED'), params: text, name: text }),
    ...{ key: 'a', waitMs: 1, maxWaitMs: null, renames: false },
    ...changes,
  });
  async function claim(id: string): Promise<Claim> {
    const run = (await store.fleet.claimMany([id], worker, leaseMs)).get(id);
    return { runId: id, epoch: run?.epoch ?? -1, owner: worker };
  }
  async function close(id: string): Promise<Run | null> {
    for (;;) {
      const closing = await store.debounces.close(await claim(id), 0);
      if (closing.kind === 'closed') return closing.run;
    }
  }

  test('are one run with the parameters of the last, by key and flow', async () => {
    const first = await store.debounces.add(call('one'));
    expect(first).toMatchObject({ inserted: true });
    expect(await store.debounces.add(call('two', { renames: true }))).toMatchObject({ id: first.id, inserted: false });
    expect(await store.debounces.add(call('three'))).toMatchObject({ id: first.id, inserted: false });
    const otherKey = await store.debounces.add(call('other', { key: 'b' }));
    const otherFlow = await store.debounces.add({ ...call('other'), run: newRun({ state: stateOf('SCHEDULED'), flow: 'other' }) });
    expect(new Set([first.id, otherKey.id, otherFlow.id]).size).toBe(3);
    expect(await store.debounces.get(first.id)).toMatchObject({ key: 'a', calls: 3, waitMs: 1, latestAt: null });
    expect(await close(first.id)).toMatchObject({ id: first.id, params: 'three', name: 'two', owner: worker });
    expect(await store.debounces.get(first.id)).toBeNull();
  });

  test('from many processes at once are one run, and none is lost', async () => {
    const others = [store, await here.open(), await here.open()];
    const placed = await Promise.all(
      Array.from({ length: 30 }, (_, at) => (others[at % 3] as Store).debounces.add(call(`${at}`, { waitMs: minute }))),
    );
    const ids = new Set(placed.map((one) => one?.id));
    expect(ids.size).toBe(1);
    expect(placed.filter((one) => one?.inserted)).toHaveLength(1);
    expect(await store.debounces.get([...ids][0] ?? '')).toMatchObject({ calls: 30 });
  });

  test('keep their run from beginning, which is given back until it is due', async () => {
    const { id, dueAt } = await store.debounces.add(call('one'));
    const held = await claim(id);
    // A call that comes after the claim, and before the run is closed.
    await store.debounces.add(call('two', { waitMs: minute }));
    expect(await store.debounces.close(held, 2 * minute)).toMatchObject({ kind: 'early' });
    const closing = await store.debounces.close(held, 1_000);
    expect(closing).toMatchObject({ kind: 'waits', ticket: { id, epoch: 2 } });
    const run = await store.runs.get(id);
    expect(run).toMatchObject({ owner: null, params: 'two', state: { name: 'Scheduled' } });
    expect(run?.dueAt).toBeGreaterThan(dueAt + minute / 2);
    expect((await store.fleet.claimMany([id], worker, leaseMs)).size).toBe(0);
  });

  test('do not put the run off beyond the longest wait since the first', async () => {
    const { id, dueAt } = await store.debounces.add(call('one', { waitMs: minute, maxWaitMs: minute }));
    const later = await store.debounces.add(call('two', { waitMs: 5 * minute, maxWaitMs: 50 * minute }));
    expect(later).toMatchObject({ id, dueAt });
    expect(await store.debounces.get(id)).toMatchObject({ latestAt: dueAt, calls: 2 });
  });

  test('make a new run once theirs is closed, cancelled, lost by a worker, or gone', async () => {
    const ids: string[] = [];
    const next = async (): Promise<string> => {
      const placed = await store.debounces.add(call('x'));
      expect(placed.inserted).toBe(true);
      ids.push(placed.id);
      return placed.id;
    };
    await close(await next());
    await store.runs.requestCancel(await next(), 1, 'no');
    const lost = await next();
    await expect.poll(async () => (await store.fleet.claimMany([lost], ownerNamed('lost'), 0)).size).toBe(1);
    await store.fleet.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [] });
    await store.runs.delete(await next(), { force: true });
    await store.debounces.forget(await next());
    await next();
    expect(new Set(ids).size).toBe(6);
    // The run of before goes on, and does not close that of others.
    expect(await close(lost)).toMatchObject({ id: lost });
    expect(await store.debounces.get(ids.at(-1) ?? '')).not.toBeNull();
  });

  test('are forgotten by retention once their run has ended or is gone, and not while it waits', async () => {
    const added = async (key: string): Promise<string> => (await store.debounces.add(call('x', { key }))).id;
    const [cancelled, deleted, waits] = [await added('a'), await added('b'), await added('c')];
    await store.runs.requestCancel(cancelled, 1, 'no');
    await store.runs.delete(deleted, { force: true });
    const later = systemClock.now() + 120 * minute;
    expect(await store.debounces.get(cancelled)).not.toBeNull();
    await store.expire({ now: later, keepMs: null });
    expect(await Promise.all([cancelled, deleted].map((id) => store.debounces.get(id)))).toEqual([null, null]);
    expect(await store.debounces.get(waits)).not.toBeNull();
  });

  test('leave a run to whoever has claimed it anew', async () => {
    const { id } = await store.debounces.add(call('one'));
    const old = await claim(id);
    expect(await store.debounces.close({ ...old, epoch: 9 }, 0)).toEqual({ kind: 'closed', run: null });
    expect(await store.debounces.get(id)).not.toBeNull();
  });
});
