/** Conditions of alerts that hold for a while: each begins when it holds and ends when it does not, over both makers. */
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AlertSpec } from '../../../src/client/alerts-client.ts';
import { makeId } from '../../../src/base/id.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { Store } from '../../../src/store/store.ts';
import { alertParts, emptyAlerts, evaluateAll, putRule } from '../../support/alerts.ts';
import { makers, type Place, placesOf } from './makers.ts';
import { endRun, newRun, startRun } from './rows.ts';

describe.each(makers)('levels on $name', (maker) => {
  const places = placesOf(maker, emptyAlerts);
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await places.make();
    store = await here.open();
  });
  afterEach(() => here.remove());
  afterAll(() => places.drop());

  const hour = 3_600_000;
  const told = async (parts = alertParts(store)): Promise<string[][]> =>
    (await evaluateAll(parts)).map(({ rule, group, kind }) => [rule, group, kind]);
  const put = (name: string, spec: AlertSpec): Promise<unknown> => putRule(store, name, spec);
  const end = async (flow: string, type: 'COMPLETED' | 'FAILED' = 'COMPLETED', changes: object = {}): Promise<void> =>
    endRun(store, await startRun(store, { flow, createdAt: Date.now(), ...changes }), type, Date.now());
  const waiting = (changes: object = {}): ReturnType<typeof newRun> =>
    newRun({ state: stateOf('SCHEDULED'), createdAt: Date.now() - hour, dueAt: Date.now() - hour, ...changes });

  test('late runs', async () => {
    await put('late', { on: 'late', deployments: ['nightly'] });
    const run = waiting({ flow: 'extract', deployment: 'nightly' });
    await store.runs.insert(run);
    await store.runs.insert(waiting({ flow: 'extract', deployment: 'other' }));
    expect(await told()).toEqual([]);
    await store.ticks.markLate({ lateAfterMs: 1_000, limit: 10 });
    expect(await told()).toEqual([['late', 'nightly', 'fired']]);
    expect(await told()).toEqual([]);
    expect((await store.alerts.list()).items[0]).toMatchObject({ runId: run.id, deployment: 'nightly', count: 1 });
    await store.runs.requestCancel(run.id, Date.now(), 'enough');
    expect(await told()).toEqual([['late', 'nightly', 'resolved']]);
  });

  test('queues that are old, and queues that nobody serves', async () => {
    await put('old', { on: { queueOlder: '30m' } });
    await put('unserved', { on: 'no-worker', queues: ['reports'] });
    const run = waiting({ queue: 'reports' });
    await store.runs.insert(run);
    await store.runs.insert(waiting({ queue: 'default' }));
    expect(await told()).toEqual([
      ['old', 'default', 'fired'],
      ['old', 'reports', 'fired'],
      ['unserved', 'reports', 'fired'],
    ]);
    await store.workers.beat({ ...workerNamed('w-1'), queues: ['reports'] });
    expect(await told()).toEqual([['unserved', 'reports', 'resolved']]);
  });

  test('a share of failures, judged from enough runs on', async () => {
    await put('rate', { on: { failureRate: 0.5, within: '1h', atLeast: 4 }, by: 'flow' });
    for (let at = 0; at < 3; at++) await end('load', 'FAILED');
    expect(await told()).toEqual([]);
    await end('load');
    await end('other');
    expect(await told()).toEqual([['rate', 'load', 'fired']]);
    expect((await store.alerts.list()).items[0]?.summary).toContain('3 of 4 runs failed');
    for (let at = 0; at < 2; at++) await end('load');
    expect(await told()).toEqual([['rate', 'load', 'resolved']]);
  });

  test('nothing completed for a while', async () => {
    await put('silent', { on: { nothingCompleted: 1 }, flows: ['load', 'store'] });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await told()).toEqual([
      ['silent', 'load', 'fired'],
      ['silent', 'store', 'fired'],
    ]);
    await put('daily', { on: { nothingCompleted: '1d' }, flows: ['load'] });
    await end('load', 'FAILED');
    // It was not watched for a day yet.
    expect((await told()).filter(([rule]) => rule === 'daily')).toEqual([]);
  });

  test('ticks that were missed', async () => {
    await put('missed', { on: 'missed' });
    const scheduledFor = Date.now() - 60_000;
    const tick = { deployment: 'nightly', scheduleId: makeId(), state: stateOf('SCHEDULED'), createdAt: Date.now() + 1_000 };
    await store.runs.insert(newRun({ ...tick, scheduledFor: Date.now() + 500, flow: 'in-time' }));
    expect(await told()).toEqual([]);
    await store.runs.insert(newRun({ ...tick, scheduledFor, scheduleId: makeId() }));
    await store.runs.insert(newRun({ ...tick, scheduledFor: scheduledFor - 1, backfillId: makeId(), deployment: 'filled' }));
    expect(await told()).toEqual([['missed', 'nightly', 'fired']]);
    expect(await told()).toEqual([]);
    expect((await store.alerts.list()).items[0]).toMatchObject({ count: 1 });
  });

  test('runs that take longer than a figure, while they execute and where nobody saw it', async () => {
    await put('long', { on: { longer: '10m' } });
    const running = await startRun(store, { flow: 'slow' });
    await store.recorder.addRunPatch(running, { startedAt: Date.now() - hour }, null);
    expect(await told()).toEqual([['long', 'slow', 'fired']]);
    await endRun(store, running, 'COMPLETED', Date.now());
    expect(await told()).toEqual([['long', 'slow', 'resolved']]);
    expect((await store.alerts.list()).items[0]).toMatchObject({ count: 1 });
    const unseen = await startRun(store, { flow: 'quick' });
    await store.recorder.addRunPatch(unseen, { startedAt: Date.now() - hour }, null);
    await endRun(store, unseen, 'COMPLETED', Date.now());
    expect((await told()).slice(0, 1)).toEqual([['long', 'quick', 'fired']]);
  });

  test('runs that take longer than their own 95th percentile by a factor, once enough have completed', async () => {
    await put('odd', { on: { longer: { p95: 2 } } });
    const took = async (flow: string, ms: number): Promise<void> => {
      const claim = await startRun(store, { flow, createdAt: Date.now() });
      const now = Date.now();
      await store.recorder.addRunPatch(claim, { startedAt: now - ms }, null);
      await endRun(store, claim, 'COMPLETED', now);
    };
    for (let at = 0; at < 20; at++) await took('steady', 1_000);
    for (let at = 0; at < 5; at++) await took('new', 1_000);
    expect(await told()).toEqual([]);
    await took('new', hour);
    await took('steady', 1_500);
    expect(await told()).toEqual([]);
    await took('steady', 5_000);
    expect((await told()).slice(0, 1)).toEqual([['odd', 'steady', 'fired']]);
  });

  test('a disk that is almost full, of the machine that looks', async () => {
    await put('disk', { on: { diskBelow: '10%' } });
    const space = (freeBytes: number) => alertParts(store, { diskSpace: async () => ({ freeBytes, totalBytes: 1_000, folder: '/data' }) });
    expect(await told(space(101))).toEqual([]);
    expect(await told(space(99))).toMatchObject([['disk', expect.any(String), 'fired']]);
    expect(await told(alertParts(store))).toEqual([]);
    expect(await told(space(500))).toMatchObject([['disk', expect.any(String), 'resolved']]);
  });

  function workerNamed(name: string): Parameters<Store['workers']['beat']>[0] {
    return {
      id: name,
      name,
      version: '0',
      host: 'here',
      pid: 1,
      queues: [],
      concurrency: 1,
      flows: {},
      startedAt: 0,
      running: 0,
      lagMs: 0,
    };
  }
});
