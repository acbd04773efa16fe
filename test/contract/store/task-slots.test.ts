/** Slots of tasks as the engines of several processes ask for them and give them back, over both makers. */
import { getEventListeners, setMaxListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { makeId } from '../../../src/base/id.ts';
import { LimitWatch } from '../../../src/engine/limits/limit-watch.ts';
import { TaskSlots } from '../../../src/engine/limits/task-slots.ts';
import type { SlotWish, Store } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { endRun, startRun } from './rows.ts';

const log = pino({ level: 'silent' });
const both = (signal: AbortSignal) => ({ signal, waitSignal: signal });

/** Of processes that tell each other, as a fleet does. */
function slotsOver(stores: readonly Store[]): TaskSlots[] {
  const watches = stores.map((store) => new LimitWatch({ store, clock: systemClock, log, net: async () => undefined }));
  const tell = (): void => {
    for (const watch of watches) watch.wake();
  };
  return watches.flatMap((watch, at) => {
    const store = stores[at]?.limits;
    return store ? [new TaskSlots({ store, watch, clock: systemClock, log, ownerId: `process-${at}`, tell })] : [];
  });
}

describe.each(makers)('slots of tasks in several processes on $name', (maker) => {
  let here: Place;
  let stores: Store[];
  beforeEach(async () => {
    here = await maker.makePlace();
    stores = [await here.open(), await here.open()];
  });
  afterEach(() => here.remove());

  test('attempts that follow each other at once, under the same holder, never hold more than the limit, and none is left over', async () => {
    let round = 0;
    const attempts = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(attempts, fc.integer({ min: 1, max: 3 }), async (counts, limit) => {
        const name = `tag:x${++round}`;
        const processes = slotsOver(stores);
        await stores[0]?.limits.setTagLimit(name, limit);
        const claim = await startRun(stores[0] as Store);
        const { signal } = new AbortController();
        setMaxListeners(0, signal);
        let inside = 0;
        let most = 0;
        const task = async (count: number, at: number): Promise<void> => {
          const wish: SlotWish = { holder: makeId(), ...claim, spread: false, names: [name], task: 'load', priority: 0 };
          for (let attempt = 1; attempt <= count; attempt++) {
            const held = await processes[at % 2]?.take(wish, both(signal), () => undefined);
            most = Math.max(most, ++inside);
            for (let turns = at % 5; turns >= 0; turns--) await turn();
            inside--;
            held?.give();
          }
        };
        await Promise.all(counts.map(task));
        expect(most).toBeLessThanOrEqual(limit);
        for (const slots of processes) await slots.close();
        const view = (await stores[0]?.limits.tagLimitViews())?.find((one) => one.name === name);
        expect(view).toMatchObject({ held: 0, waiting: 0 });
        await stores[0]?.limits.deleteTagLimit(name);
        await endRun(stores[0] as Store, claim);
      }),
      { numRuns: maker.name === 'sqlite' ? 40 : 15 },
    );
  }, 60_000);

  test('a stop while a task waits ends its wait: nothing of it stands in line', async () => {
    const store = stores[0] as Store;
    await store.limits.setTagLimit('tag:db', 1);
    const claim = await startRun(store);
    const [slots] = slotsOver([store]);
    const wish = (): SlotWish => ({ holder: makeId(), ...claim, spread: false, names: ['tag:db'], task: 'load', priority: 0 });
    const stop = new AbortController();
    const held = await slots?.take(wish(), both(new AbortController().signal), () => undefined);
    const waiting = slots?.take(wish(), both(stop.signal), () => stop.abort());
    expect(await waiting).toBe(null);
    await slots?.close();
    expect((await store.limits.tagLimitViews())[0]).toMatchObject({ held: 1, waiting: 0 });
    held?.give();
    await slots?.close();
    expect((await store.limits.tagLimitViews())[0]).toMatchObject({ held: 0, waiting: 0 });
  });

  test('however many tasks of a run wait, its signal has one listener for them, and none once they are done', async () => {
    const store = stores[0] as Store;
    await store.limits.setTagLimit('tag:db', 1);
    const claim = await startRun(store);
    const [slots] = slotsOver([store]);
    const wish = (): SlotWish => ({ holder: makeId(), ...claim, spread: false, names: ['tag:db'], task: 'load', priority: 0 });
    const held = await slots?.take(wish(), both(new AbortController().signal), () => undefined);
    const waitAll = async (signal: AbortSignal, count: number): Promise<Promise<unknown>[]> => {
      let waiting = 0;
      const taken = Array.from({ length: count }, async () => (await slots?.take(wish(), both(signal), () => void waiting++))?.give());
      while (waiting < count) await turn();
      await turn();
      expect(getEventListeners(signal, 'abort').length).toBeLessThanOrEqual(1);
      return taken;
    };
    const stopped = new AbortController();
    const gone = await waitAll(stopped.signal, 50);
    const served = new AbortController();
    const done = await waitAll(served.signal, 5);
    stopped.abort();
    await Promise.all(gone);
    held?.give();
    await Promise.all(done);
    expect(getEventListeners(stopped.signal, 'abort')).toEqual([]);
    expect(getEventListeners(served.signal, 'abort')).toEqual([]);
    await slots?.close();
    expect((await store.limits.tagLimitViews())[0]).toMatchObject({ held: 0, waiting: 0 });
  });

  test('once nothing can want it any more, a task takes a slot that is free, but waits for none', async () => {
    const store = stores[0] as Store;
    await store.limits.setTagLimit('tag:db', 1);
    const claim = await startRun(store);
    const [slots] = slotsOver([store]);
    const wish = (): SlotWish => ({ holder: makeId(), ...claim, spread: false, names: ['tag:db'], task: 'load', priority: 0 });
    const { signal } = new AbortController();
    const over = new AbortController();
    const waiting = slots?.take(wish(), { signal, waitSignal: over.signal }, () => undefined);
    expect(await waiting).not.toBe(null);
    const dropped = slots?.take(wish(), { signal, waitSignal: over.signal }, () => over.abort());
    expect(await dropped).toBe(null);
    expect(await slots?.take(wish(), { signal, waitSignal: over.signal }, () => expect.unreachable())).toBe(null);
    (await waiting)?.give();
    await slots?.close();
    const late = await slots?.take(wish(), { signal, waitSignal: over.signal }, () => expect.unreachable());
    expect((await store.limits.tagLimitViews())[0]).toMatchObject({ held: 1, waiting: 0 });
    late?.give();
    await slots?.close();
    expect((await store.limits.tagLimitViews())[0]).toMatchObject({ held: 0, waiting: 0 });
  });

  test('a stop while a slot is on its way back leaves nothing held and nothing waiting', async () => {
    const store = stores[0] as Store;
    await store.limits.setTagLimit('tag:db', 1);
    const claim = await startRun(store);
    const [slots] = slotsOver([store]);
    const wish: SlotWish = { holder: makeId(), ...claim, spread: false, names: ['tag:db'], task: 'load', priority: 0 };
    const stop = new AbortController();
    (await slots?.take(wish, both(stop.signal), () => undefined))?.give();
    const again = slots?.take(wish, both(stop.signal), () => undefined);
    stop.abort();
    expect(await again).toBe(null);
    await slots?.close();
    expect((await store.limits.tagLimitViews())[0]).toMatchObject({ held: 0, waiting: 0 });
  });
});
