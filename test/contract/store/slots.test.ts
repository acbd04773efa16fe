/** Runs and spread tasks that take several places of a worker, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeId } from '../../../src/base/id.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { HeavyRun, NewRun, Store } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { leaseMs, newRun, ownerNamed, startedAt, startRun, taskRun } from './rows.ts';

const worker = ownerNamed('worker');

describe.each(makers)('slots on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  async function insert(changes: Partial<NewRun> = {}): Promise<string> {
    const [placed] = await store.fleet.insertMany([{ run: newRun({ state: stateOf('SCHEDULED'), ...changes }), idempotencyKey: null }]);
    return placed?.id ?? '';
  }

  /** What is claimed by somebody with so many places, and what was told to be too heavy. */
  async function claim(ids: readonly string[], slots?: number): Promise<{ claimed: string[]; heavy: HeavyRun[]; missing: string[] }> {
    const [heavy, missing]: [HeavyRun[], string[]] = [[], []];
    const claimed = await store.fleet.claimMany(ids, worker, leaseMs, {
      ...(slots === undefined ? {} : { slots }),
      heavy: (run) => heavy.push(run),
      missing: (id) => missing.push(id),
    });
    return { claimed: [...claimed.keys()], heavy, missing };
  }

  test('a run keeps how many places it takes, and one that takes one has none', async () => {
    expect(await store.runs.get(await insert({ slots: 4 }))).toMatchObject({ slots: 4 });
    expect(await store.runs.get(await insert())).toMatchObject({ slots: null });
    const claim = await startRun(store, { slots: 3 });
    expect(await store.runs.get(claim.runId)).toMatchObject({ slots: 3 });
  });

  test('a ticket claims none that takes several, says so, and leaves it as it was; whoever has as many places claims it', async () => {
    const [small, heavy, heavier] = [await insert(), await insert({ slots: 2 }), await insert({ slots: 3, concurrencyKey: 'flow:etl' })];
    const before = await store.runs.get(heavy);
    const first = await claim([small, heavy, heavier]);
    expect(first.claimed).toEqual([small]);
    expect(first.heavy.toSorted((a, b) => a.slots - b.slots)).toEqual([
      { id: heavy, flow: 'flight-delays', queue: 'default', slots: 2 },
      { id: heavier, flow: 'flight-delays', queue: 'default', slots: 3 },
    ]);
    expect(first.missing).toEqual([]);
    expect(await store.runs.get(heavy)).toEqual(before);
    expect(await claim([heavy, heavier], 2)).toMatchObject({ claimed: [heavy], heavy: [{ id: heavier }] });
    expect(await claim([heavy, heavier], 3)).toMatchObject({ claimed: [heavier], heavy: [] });
  });

  test('one that is not due, held, ended or missing is not said to be too heavy', async () => {
    const later = await insert({ slots: 2, dueAt: Date.now() + 3_600_000 });
    const cancelled = await insert({ slots: 2 });
    await store.runs.requestCancel(cancelled, startedAt, 'not needed');
    const held = await insert({ slots: 2 });
    expect((await claim([held], 2)).claimed).toEqual([held]);
    const missing = makeId();
    expect(await claim([later, cancelled, held, missing])).toEqual({ claimed: [], heavy: [], missing: [missing] });
  });

  test('a lost owner of a heavy run leaves it to whoever has the places again, and a process that executes nothing else has them', async () => {
    const id = await insert({ slots: 2 });
    await claim([id], 2);
    await store.fleet.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [worker] });
    expect(await claim([id])).toMatchObject({ claimed: [], heavy: [{ id, slots: 2 }] });
    const alone = await store.fleet.claimMany([id], ownerNamed('alone'), leaseMs, { isAlone: true });
    expect(alone.get(id)).toMatchObject({ slots: 2 });
  });

  test('a spread task that takes several places waits for whoever has them', async () => {
    const run = await startRun(store);
    const offer = async (key: string, slots?: number): Promise<string> => {
      const row = taskRun(run.runId, key, { state: stateOf('SCHEDULED'), attempt: 0, startedAt: null });
      await store.spread.offer(run, [
        { taskRun: row, queue: 'gpu', priority: 0, inputs: null, inputsRef: null, ...(slots === undefined ? {} : { slots }) },
      ]);
      return row.id;
    };
    const [small, heavy] = [await offer('small'), await offer('heavy', 4)];
    expect([...(await store.spread.claimMany([small, heavy], worker, leaseMs)).keys()]).toEqual([small]);
    expect(await store.spread.heavy(small)).toBeNull();
    expect(await store.spread.heavy(heavy)).toEqual({ id: heavy, flow: 'flight-delays', queue: 'gpu', slots: 4 });
    expect(await store.spread.waiting(run.runId)).toEqual([{ queue: 'gpu', task: 'heavy', count: 1, slots: 4 }]);
    expect((await store.spread.claimMany([heavy], worker, leaseMs, false, 3)).size).toBe(0);
    expect((await store.spread.claimMany([heavy], worker, leaseMs, false, 4)).size).toBe(1);
    expect(await store.spread.heavy(heavy)).toBeNull();
  });

  test('a deployment keeps how many places its runs take', async () => {
    const row = (slots?: number) => ({
      ...{
        id: makeId(),
        name: `d${slots ?? ''}`,
        flow: 'etl',
        flowVersion: '1',
        source: null,
        version: 1,
        description: null,
        params: 'null',
      },
      ...{
        tags: [],
        queue: 'default',
        priority: 0,
        concurrency: null,
        catchup: 'latest' as const,
        catchupWindowMs: 1,
        overlap: 'allow' as const,
      },
      ...{ retentionMs: null, runName: null, pausedAt: null, origin: 'code' as const, createdAt: startedAt, updatedAt: startedAt },
      ...(slots === undefined ? {} : { slots }),
    });
    for (const deployment of [row(), row(1), row(4)]) {
      await store.deployments.put([{ deployment, schedules: [], graph: {}, spec: {} }]);
      const stored = await store.deployments.get(deployment.name);
      expect(stored?.slots).toBe(deployment.slots);
    }
  });
});
