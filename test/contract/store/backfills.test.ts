/** Backfills, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeId } from '../../../src/base/id.ts';
import { parseSchedule } from '../../../src/model/schedule/schedule.ts';
import { stateOf, type StateType } from '../../../src/model/state.ts';
import type { Store, StoredBackfill } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { newRun, startedAt } from './rows.ts';

const dayMs = 86_400_000;

function backfill(changes: Partial<StoredBackfill> = {}): StoredBackfill {
  return {
    id: makeId(),
    deployment: 'sales',
    schedule: 'nightly',
    rule: parseSchedule({ cron: '0 0 * * *', timezone: 'Europe/Lisbon' }),
    fromAt: startedAt,
    untilAt: startedAt + 30 * dayMs,
    order: 'oldest',
    maxParallel: 3,
    total: 30,
    made: 0,
    place: startedAt,
    createdAt: startedAt,
    resumedAt: null,
    cancelRequestedAt: null,
    endedAt: null,
    ...changes,
  };
}

describe.each(makers)('backfills on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  const runOf = (of: StoredBackfill, tick: number, type: StateType): Promise<unknown> =>
    store.fleet.insertMany([
      {
        run: newRun({ backfillId: of.id, scheduledFor: startedAt + tick * dayMs, state: stateOf(type), deployment: 'sales' }),
        idempotencyKey: null,
      },
    ]);

  test('are read as they were inserted, by whole id, its beginning or its end', async () => {
    const one = backfill({ order: 'newest', resumedAt: startedAt + 1 });
    await store.backfills.insert(one);
    expect(await store.backfills.get(one.id)).toEqual(one);
    expect(await store.backfills.get(one.id.slice(0, 13))).toEqual(one);
    expect(await store.backfills.get(one.id.slice(-8))).toEqual(one);
    expect([await store.backfills.get(makeId()), await store.backfills.get('abc')]).toEqual([null, null]);
    const another = one.id[20] === 'f' ? 'e' : 'f';
    await store.backfills.insert(backfill({ id: `${one.id.slice(0, 20)}${another}${one.id.slice(21)}` }));
    await expect(store.backfills.get(one.id.slice(0, 13))).rejects.toMatchObject({ code: 'BACKFILL_NOT_FOUND' });
  });

  test('are listed newest first, page by page, all or of one deployment', async () => {
    const all = [0, 1, 2].map((n) => backfill({ createdAt: startedAt + n, deployment: n === 1 ? 'other' : 'sales' }));
    for (const one of all) await store.backfills.insert(one);
    const first = await store.backfills.list({ limit: 2 });
    expect(first.items.map(({ id }) => id)).toEqual([all[2]?.id, all[1]?.id]);
    expect((await store.backfills.list({ limit: 2, cursor: first.next ?? '' })).items.map(({ id }) => id)).toEqual([all[0]?.id]);
    expect((await store.backfills.list({ deployment: 'sales' })).items.map(({ id }) => id)).toEqual([all[2]?.id, all[0]?.id]);
    await expect(store.backfills.list({ limit: 0 })).rejects.toMatchObject({ code: 'FILTER_INVALID' });
  });

  test('have one run for each tick, whoever makes it', async () => {
    const one = backfill();
    await store.backfills.insert(one);
    const other = await here.open();
    const runs = () =>
      [0, 1, 2].map((tick) => ({ run: newRun({ backfillId: one.id, scheduledFor: startedAt + tick * dayMs }), idempotencyKey: null }));
    const placed = await Promise.all([store.fleet.insertMany(runs()), other.fleet.insertMany(runs())]);
    expect(placed.flat().filter(({ inserted }) => inserted)).toHaveLength(3);
    expect(await store.backfills.openCount(one.id)).toBe(3);
  });

  test('are moved on by one step at a time, from where the last one came to', async () => {
    const one = backfill({ maxParallel: 9 });
    await store.backfills.insert(one);
    const seen: number[] = [];
    const step = (count: number) => (from: StoredBackfill) => {
      seen.push(from.place);
      const ticks = Array.from({ length: count }, (_, at) => from.place + at * dayMs);
      return {
        runs: ticks.map((scheduledFor) => newRun({ backfillId: one.id, scheduledFor, state: stateOf('SCHEDULED') })),
        next: from.place + count * dayMs,
      };
    };
    const other = await here.open();
    const options = { at: startedAt, maxRuns: 500 };
    const [first, second] = await Promise.all([
      store.backfills.step(one.id, options, step(2)),
      other.backfills.step(one.id, options, step(2)),
    ]);
    expect([first?.waiting.length, second?.waiting.length]).toEqual([2, 2]);
    expect(seen).toEqual([startedAt, startedAt + 2 * dayMs]);
    expect(await store.backfills.get(one.id)).toMatchObject({ place: startedAt + 4 * dayMs, made: 4 });
  });

  test('tell what became of their runs, and which are open or failed', async () => {
    const one = backfill();
    await store.backfills.insert(one);
    const states: StateType[] = ['COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED', 'SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING'];
    for (const [tick, type] of states.entries()) await runOf(one, tick, type);
    await runOf(backfill(), 0, 'FAILED');
    const counts = await store.backfills.counts([one.id, 'nobody']);
    expect(counts.get(one.id)).toEqual({ waiting: 2, running: 3, completed: 1, failed: 2, cancelled: 1 });
    expect(counts.get('nobody')).toEqual({ waiting: 0, running: 0, completed: 0, failed: 0, cancelled: 0 });
    expect(await store.backfills.openCount(one.id)).toBe(5);
    expect(await store.backfills.openRuns(one.id, 100)).toHaveLength(4);
    expect(await store.backfills.openRuns(one.id, 1)).toHaveLength(1);
  });

  test.each([
    ['oldest', [0, 1]],
    ['newest', [1, 0]],
  ] as const)('open what had failed when they were resumed again, each once, %s first', async (order, ticks) => {
    const one = backfill({ order, resumedAt: startedAt + 1 });
    await store.backfills.insert(one);
    const ids: string[] = [];
    for (const tick of [2, 0, 1]) {
      const run = newRun({ backfillId: one.id, scheduledFor: startedAt + tick * dayMs, state: stateOf('SCHEDULED') });
      await store.fleet.insertMany([{ run, idempotencyKey: null }]);
      await store.runs.requestCancel(run.id, startedAt + tick, 'no more');
      ids[tick] = run.id;
    }
    const none = ({ place }: StoredBackfill) => ({ runs: [], next: place });
    const step = async () => await store.backfills.step(one.id, { at: startedAt + 9, maxRuns: 500 }, none);
    expect((await step())?.waiting.map(({ id }) => id)).toEqual(ticks.map((tick) => ids[tick]));
    expect((await step())?.waiting).toEqual([]);
    expect((await store.runs.get(ids[0] ?? ''))?.state.name).toBe('Scheduled');
    expect((await store.runs.get(ids[2] ?? ''))?.state.name).toBe('Cancelled');
  });

  test('end with as many as were made, and are opened again by a resume', async () => {
    const one = backfill({ total: 12_345, made: 30 });
    const cancelled = backfill({ createdAt: startedAt + 1 });
    for (const each of [one, cancelled]) await store.backfills.insert(each);
    expect((await store.backfills.open(10)).map(({ id }) => id)).toEqual([one.id, cancelled.id]);
    expect(await store.backfills.requestCancel(cancelled.id, startedAt + 2)).toBe(true);
    await store.backfills.end(one.id, startedAt + 9);
    await store.backfills.end(cancelled.id, startedAt + 9);
    expect(await store.backfills.open(10)).toEqual([]);
    expect(await store.backfills.get(one.id)).toMatchObject({ total: 30, endedAt: startedAt + 9 });
    expect(await store.backfills.get(cancelled.id)).toMatchObject({ total: 30, made: 0, cancelRequestedAt: startedAt + 2 });
    expect(await store.backfills.requestCancel(one.id, startedAt + 10)).toBe(false);
    expect(await store.backfills.resume(cancelled.id, startedAt + 11)).toBe(true);
    expect(await store.backfills.get(cancelled.id)).toMatchObject({ resumedAt: startedAt + 11, cancelRequestedAt: null, endedAt: null });
    expect(await store.backfills.resume(makeId(), startedAt)).toBe(false);
  });
});
