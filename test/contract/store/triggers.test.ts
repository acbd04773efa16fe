/** Triggers of deployments, fired by events and by ends of runs, over both makers. */
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fireTriggers } from '../../../scheduler/fire-triggers.ts';
import { makeId } from '../../../src/base/id.ts';
import { submittedIn } from '../../../src/model/submitted.ts';
import { maxHops } from '../../../src/model/triggers/trigger.ts';
import { decodeValue } from '../../../src/model/values.ts';
import type { Store } from '../../../src/store/store.ts';
import { emit, emptyTriggers, fireAll, putTriggered, runsOf, type Scheduler, schedulerOf } from '../../support/triggers.ts';
import { makers, type Place, placesOf } from './makers.ts';
import { endRun, startRun } from './rows.ts';

describe.each(makers)('triggers on $name', (maker) => {
  const places = placesOf(maker, emptyTriggers);
  let here: Place;
  let store: Store;
  let scheduler: Scheduler;
  beforeEach(async () => {
    here = await places.make();
    store = await here.open();
    scheduler = schedulerOf(store);
  });
  afterEach(() => here.remove());
  afterAll(() => places.drop());

  // Each is a transaction of its own, which there waits for the disk.
  const burst = maker.name === 'sqlite' ? 10_000 : 1_500;
  const paramsOf = async (name: string): Promise<unknown[]> => (await runsOf(store, name)).map(({ params }) => decodeValue(params));
  const triggerOf = async (name: string) => (await runsOf(store, name)).map(({ params }) => submittedIn(params).trigger);

  test('an event starts each deployment that has a trigger for it once, with its values, and no other', async () => {
    await putTriggered(store, 'invoice', { on: 'event:order.created', params: { order: 'payload.id' } });
    await putTriggered(store, 'stock', 'event:order.*');
    await putTriggered(store, 'refund', 'event:order.returned');
    await emit(store, 'order.created', { id: 1001 }, { id: 'e1' });
    const firings = await fireAll(scheduler);
    expect(firings.map(({ deployment, outcome, cause, causeId }) => [deployment, outcome, cause, causeId])).toEqual([
      ['invoice', 'started', 'event:order.created', 'e1'],
      ['stock', 'started', 'event:order.created', 'e1'],
    ]);
    expect(await paramsOf('invoice')).toEqual([{ order: 1001 }]);
    expect(await triggerOf('invoice')).toEqual([
      {
        slug: 'event-order.created',
        firing: firings[0]?.id,
        cause: 'event:order.created',
        causeId: 'e1',
        count: 1,
        hops: 1,
        unchecked: true,
      },
    ]);
    expect(await fireAll(scheduler)).toEqual([]);
    expect([(await runsOf(store, 'invoice')).length, (await runsOf(store, 'refund')).length]).toEqual([1, 0]);
  });

  test('an event that is emitted again under its id is one event', async () => {
    await putTriggered(store, 'invoice', 'event:order.created');
    const added = await Promise.all(Array.from({ length: 8 }, () => emit(store, 'order.created', { id: 1 }, { id: 'order-1' })));
    expect(added.filter(Boolean)).toHaveLength(1);
    await fireAll(scheduler);
    expect(await emit(store, 'order.created', { id: 2 }, { id: 'order-1' })).toBe(false);
    await fireAll(scheduler);
    expect(await runsOf(store, 'invoice')).toHaveLength(1);
  });

  test('what occurred before a deployment had its trigger, or while it was paused, starts nothing', async () => {
    await emit(store, 'order.created', 1);
    await putTriggered(store, 'invoice', ['event:order.created', 'completed:extract']);
    await emit(store, 'order.created', 2, { id: 'second' });
    await fireAll(scheduler);
    await store.deployments.pause('invoice', null, Date.now());
    await emit(store, 'order.created', 3);
    await endRun(store, await startRun(store, { deployment: 'extract' }));
    await store.deployments.resume('invoice', null, Date.now());
    expect((await fireAll(scheduler)).length).toBe(0);
    expect((await triggerOf('invoice')).map((trigger) => trigger?.causeId)).toEqual(['second']);
  });

  test('the end of a run starts those that wait for that end, of that deployment or flow, with that tag, and not for backfills', async () => {
    await putTriggered(store, 'load', { on: 'completed:extract', params: { from: 'run.id' } });
    await putTriggered(store, 'page', 'failed:extract');
    await putTriggered(store, 'audit', { on: 'ended:flow:reports', tags: ['eu'] });
    await putTriggered(store, 'all', { on: 'ended:*', backfills: true });
    const done = await startRun(store, { deployment: 'extract', flow: 'extract' });
    await endRun(store, done);
    await endRun(store, await startRun(store, { deployment: 'extract', flow: 'extract' }), 'FAILED');
    await endRun(store, await startRun(store, { flow: 'reports', tags: ['eu', 'daily'] }));
    await endRun(store, await startRun(store, { flow: 'reports', tags: ['us'] }));
    await endRun(store, await startRun(store, { deployment: 'extract', flow: 'extract', backfillId: makeId(), scheduledFor: 1 }));
    await endRun(store, await startRun(store, { deployment: 'all', flow: 'all' }));
    await startRun(store, { deployment: 'extract' });
    await fireAll(scheduler);
    const counts = await Promise.all(
      ['load', 'page', 'audit', 'all'].map(
        async (name) => (await runsOf(store, name)).filter(({ state }) => state.type === 'SCHEDULED').length,
      ),
    );
    expect(counts).toEqual([1, 1, 1, 3]);
    expect(await paramsOf('load')).toEqual([{ from: done.runId }]);
    const [load] = await runsOf(store, 'load');
    expect(submittedIn(load?.params ?? '')).toMatchObject({
      callerRunId: done.runId,
      trigger: { cause: 'completed:extract', causeId: done.runId },
    });
  });

  test('of many schedulers that look at the same time each event and each end starts one run', async () => {
    await putTriggered(store, 'invoice', ['event:order.created', 'completed:extract']);
    const others = await Promise.all([1, 2, 3].map(async () => schedulerOf(await here.open())));
    for (let at = 0; at < 30; at++) {
      await emit(store, 'order.created', at);
      await endRun(store, await startRun(store, { deployment: 'extract' }));
    }
    await Promise.all([scheduler, ...others].map((one) => fireAll(one)));
    await fireAll(scheduler);
    expect(new Set((await triggerOf('invoice')).map((trigger) => `${trigger?.cause} ${trigger?.causeId}`)).size).toBe(60);
    expect(await runsOf(store, 'invoice')).toHaveLength(60);
  });

  test('a scheduler that dies before its decision is written leaves all of it to the next, and one that dies after it nothing', async () => {
    await putTriggered(store, 'invoice', ['event:order.created', 'completed:extract']);
    await emit(store, 'order.created', 1);
    await endRun(store, await startRun(store, { deployment: 'extract' }));
    const dying = {
      ...scheduler,
      makeId: () => {
        throw new Error('killed');
      },
    };
    await expect(fireTriggers(dying)).rejects.toThrow('killed');
    expect(await runsOf(store, 'invoice')).toEqual([]);
    const { waiting } = await fireTriggers(scheduler);
    expect(waiting).toHaveLength(2);
    // Its tickets were never put: they are found lost, and nothing is decided again.
    expect((await fireAll(schedulerOf(await here.open()))).length).toBe(0);
    expect(await runsOf(store, 'invoice')).toHaveLength(2);
  });

  test('one that has both filters and values takes what passes all of them', async () => {
    const where = { 'payload.total': [5, 6], 'payload.tags': 'gift' };
    await putTriggered(store, 'invoice', {
      on: 'event:order.created',
      where,
      params: { id: 'payload.id', gone: 'payload.none.x', first: 'payload.items.0.sku' },
    });
    const order = { id: 1, total: 5, tags: ['gift', 'eu'], items: [{ sku: 'a' }] };
    for (const change of [{}, { total: 7 }, { tags: ['eu'] }, { total: '5' }]) await emit(store, 'order.created', { ...order, ...change });
    await fireAll(scheduler);
    expect(await paramsOf('invoice')).toEqual([{ id: 1, first: 'a' }]);
  });

  test('a trigger over several fires once each has occurred within its window, in whatever order they are read, across a restart', async () => {
    const hour = 3_600_000;
    await putTriggered(store, 'merge', { on: ['event:a', 'event:b'], within: '1 hour', params: { a: '1.payload.n', b: '2.payload.n' } });
    const at = Date.now() - 10 * hour;
    await emit(store, 'b', { n: 'b1' }, { at: at + 0.5 * hour });
    await emit(store, 'a', { n: 'a9' }, { at: at + 9 * hour });
    await fireAll(scheduler);
    const [wait] = await store.triggers.waits('merge');
    expect(wait).toMatchObject({ slug: 'event-a-event-b', count: 2, seen: ['event:a', 'event:b'], missing: [] });
    // Occurred first, comes last, and is read by another process.
    await emit(store, 'a', { n: 'a1' }, { at });
    await fireAll(schedulerOf(await here.open()));
    expect(await paramsOf('merge')).toEqual([{ a: 'a1', b: 'b1' }]);
    await emit(store, 'b', { n: 'b9' }, { at: at + 9.9 * hour });
    await fireAll(scheduler);
    expect((await paramsOf('merge'))[1]).toEqual({ a: 'a9', b: 'b9' });
    expect(await store.triggers.waits('merge')).toEqual([]);
  });

  test('a window that ends before all have occurred starts nothing, and says what was missing', async () => {
    await putTriggered(store, 'merge', { on: ['event:a', 'completed:extract'], within: 1 });
    await emit(store, 'a', 1);
    const firings = [...(await fireAll(scheduler))];
    while (firings.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      firings.push(...(await fireAll(scheduler)));
    }
    expect(firings).toMatchObject([{ outcome: 'expired', runId: null, message: 'Its window ended without completed:extract.' }]);
    expect(await store.triggers.waits('merge')).toEqual([]);
    expect(await runsOf(store, 'merge')).toEqual([]);
  });

  test(`a burst of ${burst} events is one run for each key of a debounce, with the last of them`, async () => {
    await putTriggered(store, 'reindex', {
      on: 'event:changed',
      debounce: 1,
      by: 'payload.shop',
      params: { shop: 'payload.shop', n: 'payload.n' },
    });
    const at = Date.now() - 100_000;
    for (let start = 0; start < burst; start += 500) {
      await Promise.all(
        Array.from({ length: 500 }, (_, i) => emit(store, 'changed', { shop: (start + i) % 2, n: start + i }, { at: at + start + i })),
      );
    }
    while ((await runsOf(store, 'reindex')).length < 2) await fireAll(scheduler);
    await fireAll(scheduler);
    const runs = await runsOf(store, 'reindex');
    expect(runs.map(({ params }) => decodeValue(params)).sort((a, b) => (a as { n: number }).n - (b as { n: number }).n)).toEqual([
      { shop: 0, n: burst - 2 },
      { shop: 1, n: burst - 1 },
    ]);
    expect(runs.map(({ params }) => submittedIn(params).trigger?.count)).toEqual([burst / 2, burst / 2]);
  });

  test('a debounce that has not been quiet for long enough waits', async () => {
    await putTriggered(store, 'reindex', { on: 'event:changed', debounce: '1 hour' });
    await emit(store, 'changed', 1);
    expect(await fireAll(scheduler)).toEqual([]);
    expect(await store.triggers.waits('reindex')).toMatchObject([{ count: 1, seen: ['event:changed'], missing: [] }]);
  });

  test('a chain that feeds itself by events ends after so many triggers, as a Skipped run that says so', async () => {
    await putTriggered(store, 'loop', 'event:again');
    await emit(store, 'again');
    for (let at = 0; at < maxHops + 5; at++) {
      await fireAll(scheduler);
      const last = (await runsOf(store, 'loop')).at(-1);
      if (last === undefined || last.state.type === 'CANCELLED') break;
      await emit(store, 'again', null, { callerRunId: last.id });
    }
    const runs = await runsOf(store, 'loop');
    expect(runs).toHaveLength(maxHops + 1);
    expect(runs.at(-1)?.state).toMatchObject({
      type: 'CANCELLED',
      name: 'Skipped',
      message: expect.stringContaining('feed itself') as string,
    });
    expect((await store.triggers.firings('loop', 1))[0]).toMatchObject({ outcome: 'refused', runId: runs.at(-1)?.id });
  });

  test('so does one whose runs start others by code, which end and fire it again', async () => {
    await putTriggered(store, 'loop', 'completed:other');
    let last = await startRun(store, { deployment: 'other' });
    for (let at = 0; at < maxHops + 2; at++) {
      await endRun(store, last);
      await fireAll(scheduler);
      const made = (await runsOf(store, 'loop')).at(-1);
      last = await startRun(store, { deployment: 'other', params: `{"json":{},"submitted":{"callerRunId":"${made?.id}"}}` });
    }
    const states = (await runsOf(store, 'loop')).map(({ state }) => state.name);
    expect(states.filter((name) => name === 'Scheduled')).toHaveLength(maxHops);
    expect(states.filter((name) => name === 'Skipped')).toHaveLength(2);
  });

  test('a trigger whose values cannot be had fails by itself, and the others fire', async () => {
    await putTriggered(store, 'broken', { on: 'completed:extract', params: { rows: 'result.rows' } });
    await putTriggered(store, 'sound', 'completed:extract');
    const claim = await startRun(store, { deployment: 'extract' });
    await store.recorder.addRunPatch(claim, { resultRef: `${claim.runId}/gone` }, null);
    await endRun(store, claim);
    const firings = await fireAll(scheduler);
    expect(firings.map(({ deployment, outcome }) => [deployment, outcome]).sort()).toEqual([
      ['broken', 'failed'],
      ['sound', 'started'],
    ]);
    expect(firings.find(({ outcome }) => outcome === 'failed')?.message).toContain('gone');
  });

  test('any text in a payload comes through as it is, and holds up nothing beside it', async () => {
    await putTriggered(store, 'invoice', { on: 'event:x', params: { text: 'payload.text' } });
    const texts = ["'; drop table events; --", '<script>alert(1)</script>', '__proto__', '{"json":{}}', 'sealed:v1', '🏳️‍🌈'];
    for (const text of texts) await emit(store, 'x', { text, __proto__: null });
    await fireAll(scheduler);
    expect((await paramsOf('invoice')).map((params) => (params as { text: string }).text).sort()).toEqual([...texts].sort());
  });

  test('deploying again keeps an unchanged trigger with what it waits for, and drops that of a changed one', async () => {
    const window = { on: ['event:a', 'event:b'], slug: 'both', within: '1 hour' } as const;
    await putTriggered(store, 'merge', window);
    await emit(store, 'a');
    await fireAll(scheduler);
    await putTriggered(store, 'merge', window, { version: 2 });
    expect(await store.triggers.waits('merge')).toHaveLength(1);
    await putTriggered(store, 'merge', { ...window, within: '2 hours' }, { version: 3 });
    expect(await store.triggers.waits('merge')).toEqual([]);
    await emit(store, 'b');
    await fireAll(scheduler);
    expect(await runsOf(store, 'merge')).toEqual([]);
    await store.deployments.delete('merge');
    expect(await store.triggers.all()).toEqual([]);
  });

  test('retention deletes events that are decided, their firings and causes, and none that waits to be decided', async () => {
    await putTriggered(store, 'invoice', 'event:a');
    await emit(store, 'a', 1, { id: 'decided' });
    await fireAll(scheduler);
    await emit(store, 'a', 2, { id: 'pending' });
    expect(await store.emitted.prune(Date.now() + 60_000)).toBe(1);
    expect((await store.emitted.list()).items.map(({ id }) => id)).toEqual(['pending']);
    expect(await store.triggers.firings('invoice', 10)).toEqual([]);
    expect(await fireAll(scheduler)).toHaveLength(1);
  });
});
