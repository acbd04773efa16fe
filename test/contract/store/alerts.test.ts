/** Alerts: what is found is told once, and what is told is sent, over both makers. */
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { evaluateAlerts } from '../../../src/alerts/evaluate.ts';
import { makeId } from '../../../src/base/id.ts';
import type { Clock } from '../../../src/base/clock.ts';
import { systemClock } from '../../../src/base/clock.ts';
import type { Store } from '../../../src/store/store.ts';
import { alertParts, deliverOnce, emptyAlerts, evaluateAll, openReceiver, putRule, type Receiver } from '../../support/alerts.ts';
import { makers, type Place, placesOf } from './makers.ts';
import { endRun, startRun } from './rows.ts';

describe.each(makers)('alerts on $name', (maker) => {
  const places = placesOf(maker, emptyAlerts);
  let here: Place;
  let store: Store;
  let receiver: Receiver;
  beforeEach(async () => {
    here = await places.make();
    store = await here.open();
    receiver = await openReceiver();
  });
  afterEach(async () => {
    await receiver.close();
    await here.remove();
  });
  afterAll(() => places.drop());

  const end = async (flow: string, type: 'COMPLETED' | 'FAILED' = 'FAILED', changes: object = {}): Promise<void> =>
    endRun(store, await startRun(store, { flow, ...changes }), type, Date.now());
  const webhook = (): { readonly webhook: string } => ({ webhook: receiver.url });
  const stateOf = async (rule: string): Promise<unknown[]> =>
    (await store.alerts.list({ rule })).items.map(({ group, state, count }) => [group, state, count]);

  test('a run that fails fires its rule once for its flow, and the next that completes ends it', async () => {
    await putRule(store, 'failures', { on: 'failed', send: webhook() });
    await end('nightly', 'COMPLETED');
    await end('nightly');
    await end('other');
    const parts = alertParts(store);
    expect((await evaluateAll(parts)).map(({ kind, group }) => [kind, group])).toEqual([
      ['fired', 'nightly'],
      ['fired', 'other'],
    ]);
    await end('nightly');
    expect(await evaluateAll(parts)).toEqual([]);
    expect(await stateOf('failures')).toEqual(
      expect.arrayContaining([
        ['nightly', 'firing', 2],
        ['other', 'firing', 1],
      ]),
    );
    await end('nightly', 'COMPLETED');
    expect((await evaluateAll(parts)).map(({ kind, group }) => [kind, group])).toEqual([['resolved', 'nightly']]);
    await end('nightly');
    expect((await evaluateAll(parts)).map(({ kind, group }) => [kind, group])).toEqual([['fired', 'nightly']]);
    await deliverOnce(store);
    expect(receiver.taken.map(({ json }) => [json.type, json.data.group])).toEqual([
      ['alert.fired', 'nightly'],
      ['alert.fired', 'other'],
      ['alert.resolved', 'nightly'],
      ['alert.fired', 'nightly'],
    ]);
    expect(new Set(receiver.taken.map(({ id }) => id)).size).toBe(4);
  });

  test('what had ended before a rule was put is not for it, nor is what it does not mean', async () => {
    await end('nightly');
    await putRule(store, 'failures', { on: 'failed', flows: ['nightly'], tags: ['eu'] });
    await end('other', 'FAILED', { tags: ['eu'] });
    await end('nightly');
    await end('nightly', 'FAILED', { tags: ['eu', 'x'] });
    expect((await evaluateAll(alertParts(store))).map(({ group }) => group)).toEqual(['nightly']);
    expect(await stateOf('failures')).toEqual([['nightly', 'firing', 1]]);
  });

  test('schedulers that look at the same time tell of each end once', async () => {
    await putRule(store, 'failures', { on: 'failed', send: webhook(), repeat: 0 });
    for (let at = 0; at < 20; at++) await end(`flow-${at}`);
    const others = await Promise.all([here.open(), here.open()]);
    const told = await Promise.all([store, ...others].map((one) => evaluateAll(alertParts(one))));
    expect(
      told
        .flat()
        .map(({ group }) => group)
        .sort(),
    ).toEqual(Array.from({ length: 20 }, (_, at) => `flow-${at}`).sort());
    await Promise.all([store, ...others].map((one) => deliverOnce(one)));
    expect(receiver.taken).toHaveLength(20);
    expect((await store.alerts.outbox.state()).pending).toBe(0);
  });

  test('each occurrence is sent where the rule repeats at once', async () => {
    await putRule(store, 'failures', { on: 'failed', send: webhook(), repeat: 0 });
    for (let at = 0; at < 3; at++) await end('nightly');
    expect((await evaluateAll(alertParts(store))).map(({ kind }) => kind)).toEqual(['fired', 'repeated', 'repeated']);
  });

  test('a silenced alert is noted and sent to nobody; it is sent once the silence is over and it is found again', async () => {
    await putRule(store, 'failures', { on: 'failed', send: webhook() });
    const now = await store.alerts.watch.now();
    const silence = {
      id: makeId(),
      rule: 'failures',
      group: 'nightly',
      untilAt: now + 3_600_000,
      reason: null,
      who: 'ada',
      createdAt: now,
    };
    await store.alerts.silences.add(silence);
    await end('nightly');
    await end('other');
    const parts = alertParts(store);
    expect((await evaluateAll(parts)).map(({ group, silenced }) => [group, silenced])).toEqual([
      ['nightly', true],
      ['other', false],
    ]);
    await end('nightly');
    expect(await evaluateAll(parts)).toEqual([]);
    await store.alerts.silences.delete(silence.id);
    await end('nightly');
    expect((await evaluateAll(parts)).map(({ group, kind }) => [group, kind])).toEqual([['nightly', 'fired']]);
    await deliverOnce(store);
    expect(receiver.taken.map(({ json }) => json.data.group)).toEqual(['other', 'nightly']);
  });

  test('a resolved alert begins anew with the next failure; what holds on stays quiet until it has ended', async () => {
    await putRule(store, 'failures', { on: 'failed', send: webhook() });
    await putRule(store, 'silent', { on: { nothingCompleted: '1s' } });
    const parts = alertParts(store);
    await end('nightly');
    await evaluateAll(parts);
    const [alert] = (await store.alerts.list({ rule: 'failures' })).items;
    expect(await store.alerts.resolve(alert?.id ?? '', 'ada', makeId)).toMatchObject({ state: 'resolved', resolvedBy: 'ada' });
    await end('nightly');
    expect((await evaluateAll(parts)).filter(({ rule }) => rule === 'failures').map(({ kind }) => kind)).toEqual(['fired']);
    const late = await startRun(store, { flow: 'slow' });
    await store.recorder.addRunPatch(late, { startedAt: Date.now() - 1_000 }, null);
    await putRule(store, 'long', { on: { longer: 1 } });
    expect((await evaluateAll(parts)).filter(({ rule }) => rule === 'long')).toHaveLength(1);
    const [long] = (await store.alerts.list({ rule: 'long', states: ['firing'] })).items;
    await store.alerts.resolve(long?.id ?? '', 'ada', makeId);
    expect((await evaluateAll(parts)).filter(({ rule }) => rule === 'long')).toEqual([]);
    expect(await stateOf('long')).toEqual([['slow', 'muted', 1]]);
    await endRun(store, late, 'COMPLETED', Date.now());
    await evaluateAll(parts);
    expect(await stateOf('long')).toEqual([['slow', 'resolved', 1]]);
  });

  test('a receiver that is away for an hour gets all in order, each under one id', async () => {
    let aheadMs = 0;
    const clock: Clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
    const own = maker.name === 'sqlite' ? await here.open({ clock }) : store;
    await putRule(own, 'failures', { on: 'failed', send: webhook(), repeat: 0 });
    receiver.answer = 503;
    for (let at = 0; at < 12; at++) {
      await end(`flow-${at}`);
      await evaluateAll(alertParts(own));
      await deliverOnce(own);
      aheadMs += 300_000;
    }
    const refused = receiver.taken.length;
    expect(refused).toBeGreaterThanOrEqual(maker.name === 'sqlite' ? 12 : 1);
    expect(new Set(receiver.taken.map(({ id }) => id)).size).toBe(1);
    receiver.answer = 204;
    // PostgreSQL goes by its own clock: the wait is not over yet.
    while ((await own.alerts.outbox.state()).pending > 0) {
      await deliverOnce(own);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const accepted = receiver.taken.slice(refused);
    expect(accepted.map(({ json }) => json.data.group)).toEqual(Array.from({ length: 12 }, (_, at) => `flow-${at}`));
    expect(accepted[0]?.id).toBe(receiver.taken[0]?.id);
    expect(new Set(accepted.map(({ id }) => id)).size).toBe(12);
    const [first] = await own.alerts.firings({ rule: 'failures' }, 100).then((all) => all.slice(-1));
    expect(first?.deliveries).toMatchObject([{ state: 'sent', answer: '204', attempts: refused + 1 }]);
  });

  test('a receiver with much to take keeps no other waiting, and one whose record fails none either', async () => {
    const other = await openReceiver();
    try {
      await putRule(store, 'many', { on: 'failed', send: webhook(), repeat: 0 });
      await putRule(store, 'few', { on: 'failed', flows: ['flow-0'], send: { webhook: other.url }, repeat: 0 });
      for (let at = 0; at < 25; at++) await end(`flow-${at}`);
      await evaluateAll(alertParts(store));
      expect(await deliverOnce(store)).toBe(true);
      expect([receiver.taken.length, other.taken.length]).toEqual([20, 1]);
      await end('flow-0');
      await evaluateAll(alertParts(store));
      const { outbox } = store.alerts;
      const next: typeof outbox.next = async (to) => (to.includes(other.url) ? Promise.reject(new Error('no row')) : outbox.next(to));
      const faulty: Store = { ...store, alerts: { ...store.alerts, outbox: { ...outbox, next } } };
      await expect(deliverOnce(faulty)).rejects.toThrow('no row');
      // The turn of the first was over before the error of the second was thrown.
      const groups = Array.from({ length: 25 }, (_, at) => `flow-${at}`);
      expect(receiver.taken.map(({ json }) => json.data.group)).toEqual([...groups, 'flow-0']);
      expect(await deliverOnce(store)).toBe(false);
    } finally {
      await other.close();
    }
  });

  test('runs that failed alike are asked for once in a pass, and one that cannot be read is named by its state', async () => {
    await putRule(store, 'failures', { on: 'failed' });
    const error = { name: 'RangeError', message: 'no rows', stack: null, origin: { key: '0123456789abcdef', task: 'load', frame: null } };
    for (let at = 0; at < 5; at++) {
      const claim = await startRun(store, { flow: 'nightly' });
      await store.recorder.addRunPatch(claim, { error } as never, null);
      await endRun(store, claim, 'FAILED', Date.now());
    }
    await end('lost');
    let asked = 0;
    const alike: typeof store.figures.alike = async (keys) => {
      asked += 1;
      return await store.figures.alike(keys);
    };
    const get: typeof store.runs.get = async (id) => {
      const run = await store.runs.get(id);
      if (run?.flow === 'lost') throw new Error('cannot be read');
      return run;
    };
    const faulty: Store = { ...store, figures: { ...store.figures, alike }, runs: { ...store.runs, get } };
    expect((await evaluateAll(alertParts(faulty))).map(({ group }) => group).sort()).toEqual(['lost', 'nightly']);
    expect(asked).toBe(1);
  });

  test('where an alert gathers several deployments, only the one that failed ends it', async () => {
    await putRule(store, 'all', { on: 'failed', by: 'rule' });
    const parts = alertParts(store);
    await end('load', 'FAILED', { deployment: 'nightly' });
    await evaluateAll(parts);
    await end('load', 'COMPLETED', { deployment: 'hourly' });
    await end('load', 'COMPLETED');
    await evaluateAll(parts);
    expect(await stateOf('all')).toEqual([['', 'firing', 1]]);
    await end('load', 'COMPLETED', { deployment: 'nightly' });
    await evaluateAll(parts);
    expect(await stateOf('all')).toEqual([['', 'resolved', 1]]);
  });

  test('a rule that is put as it stands goes on; one that is put paused has ended, and begins anew', async () => {
    const parts = alertParts(store);
    const put = await putRule(store, 'failures', { on: 'failed' });
    await end('nightly');
    await evaluateAll(parts);
    const again = await store.alerts.rules.put({ ...put, updatedAt: put.updatedAt + 5 });
    expect(again).toEqual(put);
    expect(await stateOf('failures')).toEqual([['nightly', 'firing', 1]]);
    const described = await store.alerts.rules.put({ ...put, description: 'Call.', updatedAt: put.updatedAt + 5 });
    expect(described).toMatchObject({ description: 'Call.', updatedAt: put.updatedAt + 5 });
    expect(await stateOf('failures')).toEqual([['nightly', 'firing', 1]]);
    await store.alerts.rules.put({ ...described, pausedAt: Date.now(), updatedAt: put.updatedAt + 6 });
    expect(await stateOf('failures')).toEqual([['nightly', 'resolved', 1]]);
    await end('nightly');
    await store.alerts.rules.put({ ...described, updatedAt: put.updatedAt + 7 });
    expect(await evaluateAll(parts)).toEqual([]);
  });

  test('rules that change while schedulers decide leave no alert of a rule that is gone', async () => {
    const other = await here.open();
    for (let round = 0; round < 5; round++) {
      await putRule(store, 'failures', { on: 'failed' });
      for (let at = 0; at < 5; at++) await end(`flow-${at}`);
      await Promise.all([evaluateAll(alertParts(store)), other.alerts.rules.delete('failures', Date.now())]);
      expect((await store.alerts.list({ states: ['firing'] })).items).toEqual([]);
    }
  });

  test('an alert that is muted is over once it is resolved again', async () => {
    await putRule(store, 'silent', { on: { nothingCompleted: 1 } });
    const parts = alertParts(store);
    while ((await stateOf('silent')).length === 0) await evaluateAll(parts);
    const [alert] = (await store.alerts.list({ rule: 'silent' })).items;
    expect(await store.alerts.resolve(alert?.id ?? '', 'ada', makeId)).toMatchObject({ state: 'muted', resolvedBy: 'ada' });
    expect(await store.alerts.resolve(alert?.id ?? '', 'eve', makeId)).toMatchObject({ state: 'resolved', resolvedBy: 'ada' });
    expect(await store.alerts.resolve(alert?.id ?? '', 'eve', makeId)).toMatchObject({ state: 'resolved', resolvedBy: 'ada' });
  });

  test('of two that send to one receiver, the one whose lease has ended records nothing', async () => {
    await putRule(store, 'failures', { on: 'failed', send: webhook() });
    await end('nightly');
    await evaluateAll(alertParts(store));
    const { outbox } = store.alerts;
    const [frozen] = await outbox.claim('a', 0, 10);
    const delivery = await outbox.next(frozen?.receiver ?? '');
    expect(await outbox.claim('b', 60_000, 10)).toMatchObject([{ receiver: frozen?.receiver, epoch: 2 }]);
    expect(await outbox.claim('c', 60_000, 10)).toEqual([]);
    expect(await outbox.settle(frozen!, delivery!.id, { state: 'sent', answer: '200' }, 1_000)).toBe(false); // oxlint-disable-line typescript/no-non-null-assertion -- asserted above
    expect((await outbox.state()).pending).toBe(1);
  });

  test('a rule that is deleted, paused or changed has found what it has, and that is over', async () => {
    const parts = alertParts(store);
    await putRule(store, 'failures', { on: 'failed' });
    await end('nightly');
    await evaluateAll(parts);
    await putRule(store, 'failures', { on: 'failed', flows: ['nightly'] });
    expect(await stateOf('failures')).toEqual([['nightly', 'resolved', 1]]);
    await end('nightly');
    await evaluateAll(parts);
    await store.alerts.rules.pause('failures', Date.now());
    await end('nightly');
    expect(await evaluateAll(parts)).toEqual([]);
    await store.alerts.rules.pause('failures', null);
    expect(await evaluateAll(parts)).toEqual([]);
    await end('nightly');
    expect((await evaluateAll(parts)).map(({ kind }) => kind)).toEqual(['fired']);
    expect(await store.alerts.rules.delete('failures', Date.now())).toBe(true);
    expect((await store.alerts.list({ states: ['firing'] })).items).toEqual([]);
    expect((await evaluateAlerts(parts)).firings).toEqual([]);
  });

  test('what was over long ago is deleted, and what is pending stays', async () => {
    await putRule(store, 'failures', { on: 'failed', send: webhook() });
    const parts = alertParts(store);
    await end('nightly');
    await end('nightly', 'COMPLETED');
    await evaluateAll(parts);
    await store.alerts.prune(Date.now() + 60_000);
    expect((await store.alerts.list()).items).toHaveLength(1);
    await deliverOnce(store);
    expect(receiver.taken).toHaveLength(2);
    await store.alerts.prune(Date.now() + 60_000);
    expect((await store.alerts.list()).items).toEqual([]);
    expect(await store.alerts.firings({ rule: 'failures' }, 10)).toEqual([]);
  });
});
