/** Runs that are pinned to a version of their flow, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stateOf } from '../../../src/model/state.ts';
import type { Claim, NewRun, Store } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { endRun, newRun, owner, ownerNamed, leaseMs, startedAt } from './rows.ts';

const flow = 'flight-delays';
const v1 = { flow, version: 'v1' };
const v2 = { flow, version: 'v2' };

describe.each(makers)('pins on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  async function own(changes: Partial<NewRun> = {}): Promise<Claim> {
    const run = newRun({ state: stateOf('PENDING'), ...changes });
    await store.recorder.addRun(run, owner, leaseMs);
    return { runId: run.id, epoch: 1, owner };
  }

  const begin = (claim: Claim, flowVersion: string): Promise<void> =>
    store.recorder.addRunPatch(claim, { state: stateOf('RUNNING'), startedAt, flowVersion }, null);

  async function beginPinned(version = v1, changes: Partial<NewRun> = {}): Promise<Claim> {
    const claim = await own(changes);
    await store.pins.pin(claim, version, version, 7);
    await begin(claim, version.version);
    return claim;
  }

  test('a run is pinned once it has begun, to the version of whoever began it', async () => {
    const claim = await own();
    await store.pins.pin(claim, v1, v1, 7);
    expect(await store.pins.get(claim.runId)).toBeNull();
    // Its owner was lost before it had begun it, and another has it now.
    await store.runs.release(claim);
    const next = ownerNamed('next');
    const outcome = await store.runs.claim(claim.runId, next, leaseMs);
    if (!outcome.claimed) throw new Error('It was not to be had.');
    const claimed = { runId: claim.runId, epoch: outcome.run.epoch, owner: next };
    await store.pins.pin(claimed, v2, v2, 8);
    await store.pins.pin(claim, v1, v1, 9);
    await begin(claimed, 'v2');
    expect(await store.pins.get(claim.runId)).toEqual({ runId: claim.runId, ...v2, host: v2, at: 8 });
    expect(await store.runs.get(claim.runId)).toMatchObject({ flowVersion: 'v2' });
  });

  test('a run that has begun keeps what it has, pinned or not', async () => {
    const pinned = await beginPinned();
    await store.pins.pin(pinned, v2, v2, 9);
    expect(await store.pins.get(pinned.runId)).toMatchObject({ version: 'v1', at: 7 });
    const free = await own();
    await begin(free, 'v1');
    await store.pins.pin(free, v1, v1, 9);
    expect(await store.pins.get(free.runId)).toBeNull();
    expect([...(await store.pins.ofRuns([pinned.runId, free.runId, 'none'])).keys()]).toEqual([pinned.runId]);
    expect(await store.pins.ofRuns([])).toEqual(new Map());
  });

  test('an unpinned run stays so, and says what it was pinned to', async () => {
    const claim = await beginPinned();
    expect(await store.pins.unpin(claim.runId)).toMatchObject({ runId: claim.runId, version: 'v1' });
    expect(await store.pins.unpin(claim.runId)).toBeNull();
    await store.pins.pin(claim, v1, v1, 9);
    expect(await store.pins.get(claim.runId)).toBeNull();
  });

  test('a run is kept waiting by its own pin and by those of sub-flows under way', async () => {
    const parent = await own();
    await begin(parent, 'v1');
    const child = { parentRunId: parent.runId, parentTaskRunId: 'task' };
    const open = await beginPinned({ flow: 'child', version: 'c1' }, { ...child, flow: 'child' });
    await endRun(store, await beginPinned({ flow: 'child', version: 'c2' }, { ...child, flow: 'child' }));
    expect((await store.pins.ofFamily(parent.runId)).map(({ runId }) => runId)).toEqual([open.runId]);
    expect((await store.pins.ofFamily(open.runId)).map(({ version }) => version)).toEqual(['c1']);
  });

  test('what is under way is counted by version, and by state with what is not pinned', async () => {
    const [first] = [await beginPinned(), await beginPinned(), await beginPinned(v2)];
    await endRun(store, await beginPinned());
    await own();
    const free = await own();
    await store.recorder.addRunPatch(free, { state: stateOf('PAUSED', 'Suspended'), startedAt, flowVersion: 'v1' }, null);
    expect(await store.pins.underWay()).toEqual([
      { ...v1, host: v1, runs: 2, runId: first?.runId },
      { ...v2, host: v2, runs: 1, runId: expect.any(String) },
    ]);
    const rows = await store.pins.byVersion([flow, 'other']);
    expect(rows.map(({ version, name, isPinned, runs }) => `${version} ${name} ${isPinned} ${runs}`).sort()).toEqual([
      'v1 Running true 2',
      'v1 Suspended false 1',
      'v2 Running true 1',
    ]);
    expect(await store.pins.byVersion([])).toEqual([]);
  });

  test('lists find what is pinned, to any version or to one', async () => {
    const [one, two] = [await beginPinned(), await beginPinned(v2, { tags: ['late'] })];
    const free = await own();
    await begin(free, 'v1');
    const ids = async (filter: object): Promise<string[]> => (await store.runs.list(filter)).items.map(({ id }) => id).sort();
    expect(await ids({ pinned: 'any' })).toEqual([one.runId, two.runId].sort());
    expect(await ids({ pinned: 'v2' })).toEqual([two.runId]);
    expect(await ids({ pinned: 'any', tag: 'late', flow, states: ['RUNNING'] })).toEqual([two.runId]);
    expect(await ids({ pinned: 'v3' })).toEqual([]);
    const buckets = await store.figures.histogram({ pinned: 'v2' }, { fromAt: startedAt - 10, untilAt: startedAt + 10, buckets: 1 });
    expect(buckets[0]?.counts).toEqual({ RUNNING: 1 });
  });

  describe('parked', () => {
    /** A pinned run that was handed back, and waits. */
    async function waiting(version = v1, changes: Partial<NewRun> = {}): Promise<{ id: string; epoch: number }> {
      const claim = await beginPinned(version, changes);
      await store.recorder.addRunPatch(claim, { state: stateOf('SCHEDULED', 'Resuming') }, null);
      await store.runs.release(claim);
      return { id: claim.runId, epoch: claim.epoch };
    }

    async function park(run: { id: string; epoch: number }): Promise<boolean> {
      const pin = await store.pins.get(run.id);
      if (pin === null) throw new Error('It is not pinned.');
      return await store.pins.park('run', run, pin);
    }

    const claimed = async (id: string): Promise<boolean> => (await store.fleet.claimMany([id], ownerNamed('other'), leaseMs)).has(id);
    const unticketed = async (): Promise<string[]> =>
      (await store.fleet.dueUnticketed({ ticketedBeforeMs: 0, limit: 100 })).map(({ id }) => id).sort();

    test('a parked run is neither claimed nor given a ticket until its version is there', async () => {
      const [one, two, other] = [await waiting(), await waiting(), await waiting(v2, { queue: 'far' })];
      for (const run of [one, two, other]) expect(await park(run)).toBe(true);
      expect([await claimed(one.id), await unticketed()]).toEqual([false, []]);
      const ofV1 = { work: 'run', queue: 'default', wanted: { ...v1, host: v1 } } as const;
      const ofV2 = { work: 'run', queue: 'far', wanted: { ...v2, host: v2 } } as const;
      const parked = await store.pins.parked();
      expect(parked).toHaveLength(2);
      expect(parked).toEqual(expect.arrayContaining([ofV1, ofV2]));
      expect(await store.pins.unpark({ ...ofV1, queue: 'far' }, 10)).toEqual([]);
      expect(await store.pins.unpark(ofV1, 1)).toMatchObject([{ epoch: 1, queue: 'default' }]);
      expect(await store.pins.unpark(ofV1, 10)).toHaveLength(1);
      expect(await store.pins.parked()).toEqual([ofV2]);
      expect([await claimed(one.id), await claimed(two.id), await claimed(other.id)]).toEqual([true, true, false]);
    });

    test('only what waits, under its epoch, while its pin holds', async () => {
      const run = await waiting();
      expect(await park({ ...run, epoch: run.epoch + 1 })).toBe(false);
      const pin = await store.pins.get(run.id);
      await store.pins.unpin(run.id);
      expect(pin && (await store.pins.park('run', run, pin))).toBe(false);
      const held = await beginPinned();
      expect(await park({ id: held.runId, epoch: held.epoch })).toBe(false);
      expect(await store.pins.parked()).toEqual([]);
    });

    test('a run that is unpinned, continued by hand or retried is parked no longer', async () => {
      const [unpinned, continued, retried] = [await waiting(), await waiting(), await waiting()];
      for (const run of [unpinned, continued, retried]) await park(run);
      await store.pins.unpin(unpinned.id);
      expect(await claimed(unpinned.id)).toBe(true);
      const outcome = await store.runs.claim(continued.id, owner, leaseMs);
      expect(outcome.claimed).toBe(true);
      if (outcome.claimed) await store.runs.release({ runId: continued.id, epoch: outcome.run.epoch, owner });
      expect(await claimed(continued.id)).toBe(true);
      await store.runs.requestCancel(retried.id, 9, 'It was cancelled by hand.');
      expect(await store.pins.parked()).toEqual([]);
      await store.runs.reopen(retried.id, 9, []);
      expect(await claimed(retried.id)).toBe(true);
    });

    test('a run waits for the version of a sub-flow only while that is open', async () => {
      const parent = await own();
      await begin(parent, 'v1');
      const child = await waiting(v2, { parentRunId: parent.runId, parentTaskRunId: 'task' });
      await store.runs.release(parent);
      const pin = await store.pins.get(child.id);
      if (pin === null) throw new Error('It is not pinned.');
      expect(await store.pins.park('run', { id: parent.runId, epoch: 1 }, pin)).toBe(true);
      expect(await store.pins.unparkVoid(10)).toEqual([]);
      expect(await claimed(parent.runId)).toBe(false);
      await store.runs.requestCancel(child.id, 9, 'It was cancelled by hand.');
      expect(await store.pins.unparkVoid(10)).toMatchObject([{ id: parent.runId, queue: 'default' }]);
      expect(await store.pins.unparkVoid(10)).toEqual([]);
      expect(await claimed(parent.runId)).toBe(true);
    });
  });

  test('the pin goes with its run', async () => {
    const claim = await beginPinned();
    await endRun(store, claim);
    expect(await store.pins.get(claim.runId)).not.toBeNull();
    await store.runs.delete(claim.runId);
    expect(await store.pins.unpin(claim.runId)).toBeNull();
  });
});
