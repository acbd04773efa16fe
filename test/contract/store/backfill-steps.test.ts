/** Going on with backfills from several processes at the same time, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { makeId } from '../../../src/base/id.ts';
import { advanceBackfill } from '../../../src/engine/submit/advance-backfill.ts';
import { parseSchedule } from '../../../src/model/schedule/schedule.ts';
import type { Store, StoredBackfill } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';

const rule = parseSchedule({ cron: '0 * * * *' });
const [fromAt, untilAt] = [Date.UTC(2025, 0, 1), Date.UTC(2025, 0, 3)];

describe.each(makers)('steps of a backfill on $name', (maker) => {
  let here: Place;
  let stores: Store[];
  beforeEach(async () => {
    here = await maker.makePlace();
    stores = [await here.open(), await here.open(), await here.open()];
    const [store] = stores;
    const about = {
      flow: 'sync',
      flowVersion: 'v1',
      source: null,
      version: 1,
      description: null,
      params: '{"json":{}}',
      tags: [],
      queue: 'default',
    };
    const rules = { priority: 0, concurrency: null, catchup: 'latest', catchupWindowMs: 0, overlap: 'allow', retentionMs: null } as const;
    const rest = { runName: null, pausedAt: null, origin: 'command', createdAt: 0, updatedAt: 0 } as const;
    await store?.deployments.put([
      { deployment: { id: makeId(), name: 'sync', ...about, ...rules, ...rest }, schedules: [], graph: null, spec: {} },
    ]);
  });
  afterEach(() => here.remove());

  const step = async (store: Store, id: string): Promise<void> => {
    const backfill = await store.backfills.get(id);
    if (backfill?.endedAt !== null) return;
    const services = { store, clock: systemClock, makeId, random: () => 0.5, isOwnerGone: () => false };
    await advanceBackfill(services, backfill);
  };

  test.each(['oldest', 'newest'] as const)('taken by three at once make each run once and never too many, %s first', async (order) => {
    const [store] = stores;
    if (!store) throw new Error('There is no store.');
    const backfill: StoredBackfill = {
      ...{ id: makeId(), deployment: 'sync', schedule: 'cron', rule, fromAt, untilAt, order, maxParallel: 5, total: 48, made: 0 },
      ...{ place: order === 'oldest' ? fromAt : untilAt, createdAt: 0, resumedAt: null, cancelRequestedAt: null, endedAt: null },
    };
    await store.backfills.insert(backfill);
    const ended: number[] = [];
    for (let round = 0; round < 200; round++) {
      await Promise.all(stores.map((one) => step(one, backfill.id)));
      expect(await store.backfills.openCount(backfill.id)).toBeLessThanOrEqual(5);
      const open = await store.backfills.openRuns(backfill.id, 100);
      if (open.length === 0) break;
      // Some end, among them never all, so that places become free at odd moments.
      for (const id of open.slice(0, 1 + (round % 4))) {
        ended.push((await store.runs.get(id))?.scheduledFor ?? 0);
        await store.runs.requestCancel(id, Date.now(), 'done');
      }
    }
    const ticks = Array.from({ length: 48 }, (_, hour) => fromAt + hour * 3_600_000);
    expect([...ended].sort((a, b) => a - b)).toEqual(ticks);
    await step(store, backfill.id);
    const { items } = await store.runs.list({ deployment: 'sync', limit: 1000 });
    expect([items.length, new Set(items.map((run) => run.scheduledFor)).size]).toEqual([48, 48]);
    expect((await store.backfills.get(backfill.id))?.endedAt).not.toBeNull();
  });

  test.each(['oldest', 'newest'] as const)(
    'resumed and taken by three at once open no more runs again than may go on, %s first',
    async (order) => {
      const [store] = stores;
      if (!store) throw new Error('There is no store.');
      const backfill: StoredBackfill = {
        ...{ id: makeId(), deployment: 'sync', schedule: 'cron', rule, fromAt, untilAt, order, maxParallel: 3, total: 48, made: 0 },
        ...{ place: order === 'oldest' ? fromAt : untilAt, createdAt: 0, resumedAt: null, cancelRequestedAt: null, endedAt: null },
      };
      await store.backfills.insert(backfill);
      let at = Date.now();
      for (let round = 0; round < 8; round++) {
        await step(store, backfill.id);
        for (const id of await store.backfills.openRuns(backfill.id, 100)) await store.runs.requestCancel(id, at, 'failed');
        await store.backfills.requestCancel(backfill.id, at);
        await step(store, backfill.id);
        await store.backfills.resume(backfill.id, ++at);
        await Promise.all(stores.map((one) => step(one, backfill.id)));
        expect(await store.backfills.openCount(backfill.id)).toBe(3);
        for (const id of await store.backfills.openRuns(backfill.id, 100)) await store.runs.requestCancel(id, at, 'failed');
      }
    },
  );
});
