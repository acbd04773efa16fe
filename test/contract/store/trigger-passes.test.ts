/** What one pass over triggers may take, and what it must not lose: sizes, retention, clocks, damaged payloads. Over both makers. */
import Database from 'libsql';
import { afterAll, afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { fireTriggers } from '../../../scheduler/fire-triggers.ts';
import { maxGivenBytes, maxHops, maxPayloadBytes, type TriggerFiring } from '../../../src/model/triggers/trigger.ts';
import { decodeValue } from '../../../src/model/values.ts';
import type { Store } from '../../../src/store/store.ts';
import { emit, emptyTriggers, fireAll, putTriggered, runsOf, type Scheduler, schedulerOf } from '../../support/triggers.ts';
import { alertParts, evaluateAll, putRule } from '../../support/alerts.ts';
import { makers, type Place, placesOf } from './makers.ts';
import { endRun, startRun } from './rows.ts';

const day = 86_400_000;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.each(makers)('passes over triggers on $name', (maker) => {
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

  const paramsOf = async (name: string): Promise<unknown[]> => (await runsOf(store, name)).map(({ params }) => decodeValue(params));

  /** A scheduler whose pass calls the store like this. */
  const scheduledBy = (triggers: Partial<Store['triggers']>): Scheduler => ({
    ...scheduler,
    store: { ...store, triggers: { ...store.triggers, ...triggers } },
  });

  test('an event whose payload cannot be read fails the triggers that look into it, and holds up no other', async () => {
    await putTriggered(store, 'maps', { on: 'event:a', params: { id: 'payload.id' } });
    await putTriggered(store, 'filters', { on: 'event:a', where: { 'payload.id': 1 } });
    await putTriggered(store, 'plain', { on: 'event:a', params: { id: 'event.id' } });
    await emit(store, 'a', null, { id: 'damaged', payload: '{"json":' });
    await emit(store, 'a', null, { id: 'locked', payload: 'sealed:of another key' });
    await emit(store, 'a', { id: 1 }, { id: 'sound' });
    const firings = await fireAll(scheduler);
    const outcomesOf = (name: string): readonly string[] =>
      firings.filter(({ deployment }) => deployment === name).map(({ causeId, outcome }) => `${causeId} ${outcome}`);
    for (const name of ['maps', 'filters']) expect(outcomesOf(name)).toEqual(['damaged failed', 'locked failed', 'sound started']);
    expect(await paramsOf('plain')).toEqual([{ id: 'damaged' }, { id: 'locked' }, { id: 'sound' }]);
    expect(firings.find(({ outcome }) => outcome === 'failed')?.message).toContain('The payload of event damaged cannot be read');
  });

  test('what is emitted after retention has deleted all events starts what waits for it', async () => {
    for (let at = 0; at < 3; at++) await emit(store, 'a', at);
    await putTriggered(store, 'invoice', 'event:a');
    expect(await fireAll(scheduler)).toEqual([]);
    expect(await store.emitted.prune(Date.now() + day)).toBe(3);
    await emit(store, 'a', 'new', { id: 'new' });
    expect((await fireAll(scheduler)).map(({ causeId }) => causeId)).toEqual(['new']);
  });

  test('a window stays open for what came in time and was stored while a pass was at work', async () => {
    await putTriggered(store, 'merge', { on: ['completed:a', 'completed:b'], within: '1s' });
    const at = Date.now() - 60_000;
    await endRun(store, await startRun(store, { deployment: 'a' }), 'COMPLETED', at);
    const began = scheduledBy({ outlook: async () => ({ ...(await store.triggers.outlook()), now: at + 1_500 }) });
    expect((await fireTriggers(began)).firings).toEqual([]);
    await endRun(store, await startRun(store, { deployment: 'b' }), 'COMPLETED', at + 800);
    expect((await fireAll(scheduler)).map(({ outcome }) => outcome)).toEqual(['started']);
  });

  test('a window fires as often for what is read at once as for what is read one by one', async () => {
    await putTriggered(store, 'merge', { on: ['event:a', 'event:b'], within: '1 hour', params: { a: '1.payload', b: '2.payload' } });
    const at = Date.now() - 10_000;
    for (const [index, [name, payload]] of [['a', 1] as const, ['b', 1] as const, ['a', 2] as const, ['b', 2] as const].entries())
      await emit(store, name, payload, { at: at + index });
    expect((await fireAll(scheduler)).map(({ count }) => count)).toEqual([2, 2]);
    expect(await paramsOf('merge')).toEqual([
      { a: 1, b: 1 },
      { a: 2, b: 2 },
    ]);
  });

  test('the open windows of a deployment that is paused keep no pass busy', async () => {
    await putTriggered(store, 'merge', { on: ['event:a', 'event:b'], within: 1 });
    await emit(store, 'a');
    await fireTriggers(scheduler);
    expect((await store.triggers.outlook()).nextDueAt).not.toBe(null);
    await store.deployments.pause('merge', null, Date.now());
    expect((await store.triggers.outlook()).nextDueAt).toBe(null);
  });

  test('nothing is decided by a pass that has not seen a trigger which was deployed meanwhile', async () => {
    await putTriggered(store, 'first', 'event:a');
    const late = scheduledBy({
      pending: async (limit) => {
        await putTriggered(store, 'second', 'event:a');
        await emit(store, 'a', null, { id: 'after' });
        return await store.triggers.pending(limit);
      },
    });
    await emit(store, 'a', null, { id: 'before' });
    expect(await fireTriggers(late)).toMatchObject({ firings: [], again: true });
    const firings = await fireAll(scheduler);
    expect(firings.map(({ deployment, causeId }) => `${deployment} ${causeId}`)).toEqual(['first before', 'first after', 'second after']);
  });

  test.each([
    ['debounce', { on: 'event:again', debounce: 1 }],
    ['window', { on: ['event:again', 'event:b'], within: '1 hour' }],
  ] as const)('the guard against chains counts the longest of all that a %s has gathered', async (kind, on) => {
    const trigger = { slug: 'x', firing: 'y', cause: 'event:again', causeId: 'z', count: 1, hops: maxHops };
    const caller = await startRun(store, { params: JSON.stringify({ json: {}, submitted: { trigger } }) });
    await putTriggered(store, 'loop', on);
    const at = Date.now() - 10_000;
    await emit(store, 'again', null, { at, callerRunId: caller.runId });
    await emit(store, 'again', null, { at: at + 1 });
    await emit(store, 'b', null, { at: at + 2 });
    const firings = [...(await fireAll(scheduler))];
    while (firings.length === 0) firings.push(...(await fireAll(scheduler)));
    expect(firings).toMatchObject([{ outcome: 'refused', count: kind === 'debounce' ? 2 : 3 }]);
  });

  test('an end that is long past starts one run, although retention forgets what it has started while it is still to be read again', async () => {
    await putTriggered(store, 'load', 'completed:extract');
    await endRun(store, await startRun(store, { deployment: 'extract' }), 'COMPLETED', Date.now() - 3 * day);
    expect(await fireAll(scheduler)).toHaveLength(1);
    await store.emitted.prune(Date.now() - day);
    const wish = { deployments: [], flows: [], all: true };
    for (let isSettled = false; !isSettled; await pause(20)) {
      await fireAll(scheduler);
      const { place } = await store.triggers.ends('triggers', wish, 10);
      isSettled = place.mark === null && place.settled === place.readTo;
    }
    expect(await runsOf(store, 'load')).toHaveLength(1);
  });

  test('events are read and listed in pages of so many bytes, and all of them start what they are for', async () => {
    const text = 'x'.repeat(maxPayloadBytes - 100);
    await putTriggered(store, 'large', { on: 'event:a', params: { text: 'payload' } });
    for (let at = 0; at < 40; at++) await emit(store, 'a', text, { id: `event-${at}` });
    const { events, hasMore } = await store.triggers.pending(1_000);
    expect([events.length > 0, events.length < 40, hasMore]).toEqual([true, true, true]);
    expect(await fireAll(scheduler)).toHaveLength(40);
    const listed: string[] = [];
    let pages = 0;
    for (let cursor: string | null | undefined; cursor !== null; pages++) {
      const { items, next } = await store.emitted.list({ limit: 1_000, ...(cursor === undefined ? {} : { cursor }) });
      listed.push(...items.map(({ id }) => id));
      cursor = next;
    }
    expect(listed).toEqual(Array.from({ length: 40 }, (_, at) => `event-${39 - at}`));
    expect(pages).toBeGreaterThan(1);
  });

  test('a trigger that would hand on more than is allowed fails, and says how much', async () => {
    const copies = Object.fromEntries(Array.from({ length: 5 }, (_, at) => [`copy${at}`, 'payload']));
    await putTriggered(store, 'greedy', { on: 'event:a', params: copies });
    await putTriggered(store, 'modest', { on: 'event:a', params: { one: 'payload', two: 'payload' } });
    await emit(store, 'a', 'x'.repeat(maxPayloadBytes - 100));
    const firings = await fireAll(scheduler);
    expect(firings.map(({ deployment, outcome }) => `${deployment} ${outcome}`)).toEqual(['greedy failed', 'modest started']);
    expect(firings[0]?.message).toContain(`at most ${maxGivenBytes} are handed on`);
  });

  test('a pass whose events or ends would hand on too much together takes fewer, down to one, and the next go on', async () => {
    await putTriggered(store, 'load', { on: 'completed:extract', params: { text: 'result' } });
    await putTriggered(store, 'invoice', { on: 'event:a', params: { text: 'payload' } });
    for (let at = 0; at < 12; at++) {
      const claim = await startRun(store, { deployment: 'extract' });
      await store.recorder.addRunPatch(claim, { result: JSON.stringify({ json: `${at} ${'x'.repeat(500)}` }) }, null);
      await endRun(store, claim);
      await emit(store, 'a', `${at} ${'x'.repeat(500)}`);
    }
    const firings: TriggerFiring[] = [];
    let passes = 0;
    for (let again = true; again; passes++) {
      const fired = await fireTriggers(scheduler, 1_200);
      firings.push(...fired.firings);
      again = fired.again;
    }
    expect(passes).toBeGreaterThan(3);
    const numbersOf = async (name: string): Promise<readonly number[]> =>
      (await paramsOf(name)).map((params) => Number.parseInt((params as { text: string }).text, 10)).sort((a, b) => a - b);
    const all = Array.from({ length: 12 }, (_, at) => at);
    expect([await numbersOf('load'), await numbersOf('invoice')]).toEqual([all, all]);
    expect(firings).toHaveLength(24);
  });
});

test('on SQLite retention leaves the ends that a trigger has still to read, and takes them once it has', async () => {
  const sqlite = makers.find(({ name }) => name === 'sqlite');
  if (!sqlite) throw new Error('There is no SQLite.');
  const here = await sqlite.makePlace();
  onTestFinished(() => here.remove());
  const store = await here.open();
  await putTriggered(store, 'load', 'completed:extract');
  await endRun(store, await startRun(store, { deployment: 'extract' }));
  const beside = new Database(here.url.slice('sqlite:'.length));
  onTestFinished(() => void beside.close());
  beside.exec(`insert into run_events (seq, run_id, transition_seq) values (500000, 'later', 1)`);
  await store.prune(0);
  expect(await fireAll(schedulerOf(store))).toHaveLength(1);
  await store.prune(0);
  expect(beside.prepare('select count(*) as count from run_events where seq < 500000').get()).toMatchObject({ count: 0 });
});

test('on SQLite retention leaves the ends that alerts have still to read, while a rule wants them', async () => {
  const sqlite = makers.find(({ name }) => name === 'sqlite');
  if (!sqlite) throw new Error('There is no SQLite.');
  const here = await sqlite.makePlace();
  onTestFinished(() => here.remove());
  const store = await here.open();
  await putRule(store, 'failures', { on: 'failed' });
  await endRun(store, await startRun(store, {}), 'FAILED', Date.now());
  const beside = new Database(here.url.slice('sqlite:'.length));
  onTestFinished(() => void beside.close());
  const kept = (): unknown => beside.prepare('select count(*) > 0 as kept from run_events where seq < 500000').get();
  beside.exec(`insert into run_events (seq, run_id, transition_seq) values (500000, 'later', 1)`);
  await store.prune(0);
  expect(kept()).toMatchObject({ kept: 1 });
  expect(await evaluateAll(alertParts(store))).toHaveLength(1);
  await store.prune(0);
  expect(kept()).toMatchObject({ kept: 0 });
  await endRun(store, await startRun(store, {}), 'FAILED', Date.now());
  beside.exec(`insert into run_events (seq, run_id, transition_seq) values (1000000, 'later', 1)`);
  await store.alerts.rules.pause('failures', Date.now());
  await store.prune(0);
  expect(beside.prepare('select count(*) as count from run_events where seq < 1000000').get()).toMatchObject({ count: 0 });
});
