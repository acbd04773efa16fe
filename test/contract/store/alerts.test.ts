/** Alerts: what is found is told once, over both makers. */
import { describe, expect, test } from 'vitest';
import { makeId } from '../../../src/base/id.ts';
import type { Store } from '../../../src/store/store.ts';
import { alertParts, deliverOnce, evaluateAll, putRule } from '../../support/alerts.ts';
import { useAlertPlace } from './alert-place.ts';
import { makers } from './makers.ts';
import { endRun, startRun } from './rows.ts';

describe.each(makers)('alerts on $name', (maker) => {
  const place = useAlertPlace(maker);

  test('a run that fails fires its rule once for its flow, and the next that completes ends it', async () => {
    await putRule(place.store, 'failures', { on: 'failed', send: place.webhook });
    await place.end('nightly', 'COMPLETED');
    await place.end('nightly');
    await place.end('other');
    const parts = alertParts(place.store);
    expect((await evaluateAll(parts)).map(({ kind, group }) => [kind, group])).toEqual([
      ['fired', 'nightly'],
      ['fired', 'other'],
    ]);
    await place.end('nightly');
    expect(await evaluateAll(parts)).toEqual([]);
    expect(await place.stateOf('failures')).toEqual(
      expect.arrayContaining([
        ['nightly', 'firing', 2],
        ['other', 'firing', 1],
      ]),
    );
    await place.end('nightly', 'COMPLETED');
    expect((await evaluateAll(parts)).map(({ kind, group }) => [kind, group])).toEqual([['resolved', 'nightly']]);
    await place.end('nightly');
    expect((await evaluateAll(parts)).map(({ kind, group }) => [kind, group])).toEqual([['fired', 'nightly']]);
    await deliverOnce(place.store);
    expect(place.receiver.taken.map(({ json }) => [json.type, json.data.group])).toEqual([
      ['alert.fired', 'nightly'],
      ['alert.fired', 'other'],
      ['alert.resolved', 'nightly'],
      ['alert.fired', 'nightly'],
    ]);
    expect(new Set(place.receiver.taken.map(({ id }) => id)).size).toBe(4);
  });

  test('schedulers that look at the same time tell of each end once', async () => {
    await putRule(place.store, 'failures', { on: 'failed', send: place.webhook, repeat: 0 });
    for (let at = 0; at < 20; at++) await place.end(`flow-${at}`);
    const others = await Promise.all([place.here.open(), place.here.open()]);
    const told = await Promise.all([place.store, ...others].map((one) => evaluateAll(alertParts(one))));
    expect(
      told
        .flat()
        .map(({ group }) => group)
        .sort(),
    ).toEqual(Array.from({ length: 20 }, (_, at) => `flow-${at}`).sort());
    await Promise.all([place.store, ...others].map((one) => deliverOnce(one)));
    expect(place.receiver.taken).toHaveLength(20);
    expect((await place.store.alerts.outbox.state()).pending).toBe(0);
  });

  test('each occurrence is sent where the rule repeats at once', async () => {
    await putRule(place.store, 'failures', { on: 'failed', send: place.webhook, repeat: 0 });
    for (let at = 0; at < 3; at++) await place.end('nightly');
    expect((await evaluateAll(alertParts(place.store))).map(({ kind }) => kind)).toEqual(['fired', 'repeated', 'repeated']);
  });

  test('a resolved alert begins anew with the next failure; what holds on stays quiet until it has ended', async () => {
    await putRule(place.store, 'failures', { on: 'failed', send: place.webhook });
    await putRule(place.store, 'silent', { on: { nothingCompleted: '1s' } });
    const parts = alertParts(place.store);
    await place.end('nightly');
    await evaluateAll(parts);
    const [alert] = (await place.store.alerts.list({ rule: 'failures' })).items;
    expect(await place.store.alerts.resolve(alert?.id ?? '', 'ada', makeId)).toMatchObject({ state: 'resolved', resolvedBy: 'ada' });
    await place.end('nightly');
    expect((await evaluateAll(parts)).filter(({ rule }) => rule === 'failures').map(({ kind }) => kind)).toEqual(['fired']);
    const late = await startRun(place.store, { flow: 'slow' });
    await place.store.recorder.addRunPatch(late, { startedAt: Date.now() - 1_000 }, null);
    await putRule(place.store, 'long', { on: { longer: 1 } });
    expect((await evaluateAll(parts)).filter(({ rule }) => rule === 'long')).toHaveLength(1);
    const [long] = (await place.store.alerts.list({ rule: 'long', states: ['firing'] })).items;
    await place.store.alerts.resolve(long?.id ?? '', 'ada', makeId);
    expect((await evaluateAll(parts)).filter(({ rule }) => rule === 'long')).toEqual([]);
    expect(await place.stateOf('long')).toEqual([['slow', 'muted', 1]]);
    await endRun(place.store, late, 'COMPLETED', Date.now());
    await evaluateAll(parts);
    expect(await place.stateOf('long')).toEqual([['slow', 'resolved', 1]]);
  });

  test('runs that failed alike are asked for once in a pass, and one that cannot be read is named by its state', async () => {
    await putRule(place.store, 'failures', { on: 'failed' });
    const error = {
      name: 'RangeError',
      message: 'no rows',
      stack: null,
      origin: { key: '0123456789abcdef', task: 'load', attempt: 1, attempts: 1, frame: null },
    };
    for (let at = 0; at < 5; at++) {
      const claim = await startRun(place.store, { flow: 'nightly' });
      await place.store.recorder.addRunPatch(claim, { error } as never, null);
      await endRun(place.store, claim, 'FAILED', Date.now());
    }
    await place.end('lost');
    let asked = 0;
    const alike: typeof place.store.figures.alike = async (keys) => {
      asked += 1;
      return await place.store.figures.alike(keys);
    };
    const get: typeof place.store.runs.get = async (id) => {
      const run = await place.store.runs.get(id);
      if (run?.flow === 'lost') throw new Error('cannot be read');
      return run;
    };
    const faulty: Store = { ...place.store, figures: { ...place.store.figures, alike }, runs: { ...place.store.runs, get } };
    expect((await evaluateAll(alertParts(faulty))).map(({ group }) => group).sort()).toEqual(['lost', 'nightly']);
    expect(asked).toBe(1);
  });

  test('where an alert gathers several deployments, only the one that failed ends it', async () => {
    await putRule(place.store, 'all', { on: 'failed', by: 'rule' });
    const parts = alertParts(place.store);
    await place.end('load', 'FAILED', { deployment: 'nightly' });
    await evaluateAll(parts);
    await place.end('load', 'COMPLETED', { deployment: 'hourly' });
    await place.end('load', 'COMPLETED');
    await evaluateAll(parts);
    expect(await place.stateOf('all')).toEqual([['', 'firing', 1]]);
    await place.end('load', 'COMPLETED', { deployment: 'nightly' });
    await evaluateAll(parts);
    expect(await place.stateOf('all')).toEqual([['', 'resolved', 1]]);
  });

  test('an alert that is muted is over once it is resolved again', async () => {
    await putRule(place.store, 'silent', { on: { nothingCompleted: 1 } });
    const parts = alertParts(place.store);
    while ((await place.stateOf('silent')).length === 0) await evaluateAll(parts);
    const [alert] = (await place.store.alerts.list({ rule: 'silent' })).items;
    expect(await place.store.alerts.resolve(alert?.id ?? '', 'ada', makeId)).toMatchObject({ state: 'muted', resolvedBy: 'ada' });
    expect(await place.store.alerts.resolve(alert?.id ?? '', 'eve', makeId)).toMatchObject({ state: 'resolved', resolvedBy: 'ada' });
    expect(await place.store.alerts.resolve(alert?.id ?? '', 'eve', makeId)).toMatchObject({ state: 'resolved', resolvedBy: 'ada' });
  });
});
