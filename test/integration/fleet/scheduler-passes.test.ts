/** What the loops of a scheduler do in a pass, when the next one follows, and what one that fails leaves alone. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { backfillLoop } from '../../../scheduler/loops/backfill.ts';
import { markLateLoop } from '../../../scheduler/loops/mark-late.ts';
import { retentionLoop } from '../../../scheduler/loops/retention.ts';
import { rollupLoop } from '../../../scheduler/loops/rollup.ts';
import { triggersLoop } from '../../../scheduler/loops/triggers.ts';
import { BatutaError } from '../../../src/base/errors.ts';
import { backfillsChannel } from '../../../src/model/deployment.ts';
import { triggersChannel } from '../../../src/model/triggers/trigger.ts';
import type { StoredBackfill, Ticketed } from '../../../src/store/store.ts';
import { type HandLoops, openHandLoops } from '../../support/hand-loops.ts';
import { gate } from '../../support/make-flow.ts';
import { until } from '../../support/room.ts';
import { emit, putTriggered } from '../../support/triggers.ts';

const away = new BatutaError('STORE_UNAVAILABLE', 'It is away.');
const ticket = (id: string): Ticketed => ({ id, epoch: 0, queue: 'default', priority: 0, dueAt: null });

let at: HandLoops;
beforeEach(async () => {
  at = await openHandLoops();
});
afterEach(() => at.close());

describe('late runs', () => {
  test('are reported and counted, and a full batch is followed by the next at once', async () => {
    const asked: unknown[] = [];
    const batches = [1_000, 3, 0];
    Object.assign(at.store.ticks, {
      markLate: async (options: unknown) => (asked.push(options), Array.from({ length: batches.shift() ?? 0 }, () => 'id')),
    });
    await at.pass(markLateLoop(at.parts, { lateAfterMs: 15_000 }));
    expect(asked).toEqual(Array.from({ length: 2 }, () => ({ lateAfterMs: 15_000, limit: 1_000 })));
    expect(at.told).toEqual([
      { kind: 'late', runs: 1_000 },
      { kind: 'late', runs: 3 },
    ]);
    await at.pass(markLateLoop(at.parts, { lateAfterMs: 15_000 }));
    expect([at.told.length, at.logged.length]).toEqual([2, 2]);
  });
});

describe('sums', () => {
  test('are made one after the other until there is nothing left to sum up', async () => {
    let left = 3;
    Object.assign(at.store.figures, { rollUp: async () => ({ more: --left > 0 }) });
    await at.pass(rollupLoop(at.parts, { intervalMs: 60_000 }));
    expect(left).toBe(0);
  });
});

describe('backfills', () => {
  const backfill = (id: string): StoredBackfill => ({ id, cancelRequestedAt: null, maxParallel: 1, deployment: 'd' }) as StoredBackfill;
  const loop = () => backfillLoop(at.parts, { intervalMs: 1_000 });
  /** What each step of a backfill gives, or throws; nothing once that is used up. */
  let steps: Record<string, (readonly Ticketed[] | Error)[]>;
  let asked: string[];
  beforeEach(() => {
    [steps, asked] = [{}, []];
    Object.assign(at.store.backfills, {
      open: async () => Object.keys(steps).map(backfill),
      openCount: async () => 0,
      step: async (id: string) => {
        asked.push(id);
        const next = steps[id]?.shift();
        if (next instanceof Error) throw next;
        return next === undefined ? null : { waiting: next, isFull: next.length > 1 };
      },
    });
  });

  test('advance one after the other, and at once again while one of them has more to do', async () => {
    steps = { a: [[ticket('a1'), ticket('a2')], [ticket('a3')]], b: [[ticket('b1')]] };
    await at.pass(loop());
    expect([asked, at.put]).toEqual([
      ['a', 'b', 'a', 'b'],
      [['a1', 'a2'], ['b1'], ['a3']],
    ]);
  });

  test('one that is stuck is named and holds up none after it', async () => {
    steps = { a: [new Error('bad')], b: [[ticket('b1')]] };
    await at.pass(loop());
    expect([at.put, at.logged]).toEqual([[['b1']], ['A backfill cannot continue.']]);
  });

  test('while the database is away the whole pass is made again, later', async () => {
    steps = { a: [away, [ticket('a1')]], b: [[ticket('b1')]] };
    const service = loop();
    await service.start();
    await at.rests();
    expect([asked, at.put]).toEqual([['a'], []]);
    await at.fire(2_000);
    expect(at.put).toEqual([['a1'], ['b1']]);
    await service.stop();
  });

  test('none is begun once the scheduler ends', async () => {
    const [begun, first] = [gate(), gate()];
    steps = { a: [], b: [] };
    const { step } = at.store.backfills;
    Object.assign(at.store.backfills, {
      step: async (...args: Parameters<typeof step>) => (begun.open(), await first.opened, step(...args)),
    });
    const service = loop();
    await service.start();
    await begun.opened;
    const stopped = service.stop();
    first.open();
    await stopped;
    expect(asked).toEqual(['a']);
  });

  test('go on as soon as one has changed, until the end; where that cannot be heard they do each second', async () => {
    let looks = 0;
    Object.assign(at.store.backfills, { open: async () => (looks++, []) });
    const service = loop();
    await service.start();
    await at.rests();
    await at.parts.broker.notify(backfillsChannel, 'id');
    await until(() => looks === 2);
    await at.rests();
    await service.stop();
    await at.parts.broker.notify(backfillsChannel, 'id');
    Object.assign(at.parts.broker, { subscribe: () => Promise.reject(new BatutaError('BROKER_UNAVAILABLE', 'It is away.')) });
    await at.pass(loop());
    expect([looks, at.logged.length]).toEqual([3, 1]);
  });
});

describe('triggers', () => {
  const loop = () => triggersLoop(at.parts, { intervalMs: 500 });

  test('fire as soon as an event is announced, until the end, and their runs get tickets', async () => {
    await putTriggered(at.store, 'load', 'event:a');
    const service = loop();
    await service.start();
    await at.rests();
    await emit(at.store, 'a');
    await at.parts.broker.notify(triggersChannel, 'a');
    await until(() => at.put.length > 0);
    await at.rests();
    await service.stop();
    expect(at.timers()).toEqual([]);
    await emit(at.store, 'a');
    await at.parts.broker.notify(triggersChannel, 'a');
    expect(at.put).toHaveLength(1);
    Object.assign(at.parts.broker, { subscribe: () => Promise.reject(new BatutaError('BROKER_UNAVAILABLE', 'It is away.')) });
    await at.pass(loop());
    expect([at.put.length, at.logged.length]).toEqual([2, 1]);
  });

  test('are passed over again at once while there is more to read', async () => {
    await putTriggered(at.store, 'load', 'event:a');
    for (let left = 5; left > 0; left--) await emit(at.store, 'a');
    const { pending } = at.store.triggers;
    Object.assign(at.store.triggers, { pending: () => pending(2) });
    await at.pass(loop());
    expect(at.put.flat()).toHaveLength(5);
  });
});

describe('retention', () => {
  const day = 86_400_000;
  async function pruned(retentionMs: number | null): Promise<Record<string, number>> {
    const seen: Record<string, number> = {};
    const now = at.now();
    const { store } = at;
    for (const name of ['emitted', 'alerts', 'audit'] as const)
      Object.assign(store[name], { prune: async (before: number) => ((seen[name] = Math.round((now - before) / day)), 0) });
    Object.assign(store.workers, { prune: async (ms: number) => void (seen['workers'] = ms) });
    Object.assign(store.webhooks, { prune: async () => void (seen['webhooks'] = 0) });
    Object.assign(store.errorGroups, { prune: async () => void (seen['errorGroups'] = 0) });
    const { expire } = store;
    Object.assign(store, {
      expire: async (options: Parameters<typeof expire>[0]) => ((seen['runs'] = options.keepMs ?? -1), expire(options)),
    });
    await at.pass(retentionLoop(at.parts, { retentionMs }));
    return seen;
  }
  const always = { workers: 3_600_000, webhooks: 0, errorGroups: 0 };

  test('takes events and alerts of that age with the runs, and the audit after a year', async () => {
    expect(await pruned(30 * day)).toEqual({ ...always, emitted: 30, alerts: 30, audit: 365, runs: 30 * day });
  });

  test('keeps the audit as long as runs where that is longer', async () => {
    expect(await pruned(800 * day)).toEqual({ ...always, emitted: 800, alerts: 800, audit: 800, runs: 800 * day });
  });

  test('takes the stored values of what it deletes: of runs batch by batch, then of the cache', async () => {
    const removed: string[] = [];
    Object.assign(at.engine.services.results, { remove: async (ref: string) => void removed.push(ref), sweep: async () => undefined });
    const { store } = at;
    Object.assign(store, {
      expire: async ({ onBatch }: Parameters<typeof store.expire>[0]) => {
        await onBatch?.({ runIds: ['run'], resultRefs: ['run/value'] });
        expect(removed).toEqual(['run/value']);
        return { runs: 1, resultRefs: [] };
      },
    });
    Object.assign(store.cache, { expire: async () => ({ entries: 1, resultRefs: ['cache/value'] }) });
    await at.pass(retentionLoop(at.parts, { retentionMs: day }));
    expect(removed).toEqual(['run/value', 'cache/value']);
  });

  test('that is off keeps all of that, and leaves runs to their deployments', async () => {
    expect(await pruned(null)).toEqual({ ...always, runs: -1 });
  });
});
