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
    expect(await told()).toEqual([
      ['long', 'quick', 'fired'],
      ['long', 'quick', 'resolved'],
    ]);
  });

  test('a run that ends after its end was looked for and before it was looked at is one occurrence', async () => {
    await put('long', { on: { longer: '10m' }, repeat: 0 });
    const running = await startRun(store, { flow: 'slow' });
    await store.recorder.addRunPatch(running, { startedAt: Date.now() - hour }, null);
    expect(await told()).toEqual([['long', 'slow', 'fired']]);
    let hasEnded = false;
    const ends: Store['triggers']['ends'] = async (...asked) => {
      const page = await store.triggers.ends(...asked);
      if (!hasEnded) await endRun(store, running, 'COMPLETED', Date.now());
      hasEnded = true;
      return page;
    };
    const racing: Store = { ...store, triggers: { ...store.triggers, ends } };
    expect(await told(alertParts(racing))).toEqual([['long', 'slow', 'resolved']]);
    expect(await told()).toEqual([]);
    expect((await store.alerts.list()).items).toMatchObject([{ state: 'resolved', count: 1 }]);
  });

  test('of several runs that take long each is cancelled once, whichever is found last', async () => {
    await put('stuck', { on: { longer: '10m' }, send: 'cancel' });
    const runs = [await startRun(store, { flow: 'slow' }), await startRun(store, { flow: 'slow' })];
    for (const [at, run] of runs.entries()) await store.recorder.addRunPatch(run, { startedAt: Date.now() - (2 - at) * hour }, null);
    const cancelled = async (): Promise<unknown[]> =>
      (await store.alerts.firings({ rule: 'stuck' }, 10)).flatMap(({ deliveries }) => deliveries.map(({ kind }) => kind));
    expect(await told()).toEqual([['stuck', 'slow', 'fired']]);
    await endRun(store, runs[0]!, 'FAILED', Date.now()); // oxlint-disable-line typescript/no-non-null-assertion -- made above
    expect(await told()).toEqual([['stuck', 'slow', 'repeated']]);
    expect(await told()).toEqual([]);
    expect(await cancelled()).toEqual(['cancel', 'cancel']);
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
    expect(await told()).toEqual([
      ['odd', 'steady', 'fired'],
      ['odd', 'steady', 'resolved'],
    ]);
  });

  test('each run of an alert that holds is cancelled, and people hear of the first', async () => {
    await put('stuck', { on: { longer: '10m' }, by: 'rule', send: ['cancel', { email: 'ada@example.com' }] });
    const started = [];
    for (const flow of ['first', 'second']) {
      const claim = await startRun(store, { flow });
      await store.recorder.addRunPatch(claim, { startedAt: Date.now() - hour - (flow === 'first' ? 1_000 : 0) }, null);
      started.push(claim);
    }
    const actions = async (): Promise<(string | null)[][]> =>
      (await store.alerts.firings({ rule: 'stuck' }, 10))
        .map(({ kind, deliveries }) => [kind, ...deliveries.map((delivery) => delivery.kind)])
        .reverse();
    await told();
    await told();
    expect(await actions()).toEqual([['fired', 'cancel', 'email']]);
    await endRun(store, started[0]!, 'FAILED', Date.now()); // oxlint-disable-line typescript/no-non-null-assertion -- begun above
    await told();
    await told();
    expect(await actions()).toEqual([
      ['fired', 'cancel', 'email'],
      ['repeated', 'cancel'],
    ]);
    expect((await store.alerts.list({ rule: 'stuck' })).items).toMatchObject([
      { state: 'firing', runName: expect.any(String), flow: 'second' },
    ]);
  });

  test('many runs that a rule does not mean hide none that it means', async () => {
    await put('late', { on: 'late', tags: ['prod', 'eu'], flows: ['meant'], deployments: ['nightly'], queues: ['reports'] });
    const others = { flow: 'meant', deployment: 'nightly', queue: 'reports', tags: ['prod'] };
    for (let at = 0; at < 1_000; at++) await store.runs.insert(waiting({ ...others, createdAt: Date.now() - 2 * hour }));
    await store.runs.insert(waiting({ ...others, tags: ['eu', 'prod', 'x'] }));
    await store.ticks.markLate({ lateAfterMs: 1_000, limit: 2_000 });
    expect(await told()).toEqual([['late', 'nightly', 'fired']]);
  });

  test('a rule that cannot be looked at holds up no other', async () => {
    await put('broken', { on: { failureRate: 0.5, within: '1h' } });
    await put('late', { on: 'late' });
    await store.runs.insert(waiting({ flow: 'extract' }));
    await store.ticks.markLate({ lateAfterMs: 1_000, limit: 10 });
    const ended = async (): Promise<never> => Promise.reject(new Error('cannot be read'));
    const faulty: Store = { ...store, alerts: { ...store.alerts, watch: { ...store.alerts.watch, ended } } };
    expect(await told(alertParts(faulty))).toEqual([['late', 'extract', 'fired']]);
  });

  test('a rule is looked at when its time has come, also by a clock that was set back', async () => {
    await put('late', { on: 'late' });
    let looks = 0;
    let shiftMs = 0;
    const { watch } = store.alerts;
    const counted: Store = {
      ...store,
      alerts: {
        ...store.alerts,
        watch: {
          ...watch,
          now: async () => (await watch.now()) + shiftMs,
          late: async (of) => {
            looks += 1;
            return await watch.late(of);
          },
        },
      },
    };
    const parts = alertParts(counted, { lookEveryMs: hour });
    await told(parts);
    await told(parts);
    expect(looks).toBe(1);
    shiftMs = -hour;
    await told(parts);
    expect(looks).toBe(2);
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
