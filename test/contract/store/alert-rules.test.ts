/** Rules of alerts as they are put, paused, changed and deleted, over both makers. */
import { describe, expect, test } from 'vitest';
import { evaluateAlerts } from '../../../src/alerts/evaluate.ts';
import { alertParts, evaluateAll, putRule } from '../../support/alerts.ts';
import { useAlertPlace } from './alert-place.ts';
import { makers } from './makers.ts';

describe.each(makers)('rules of alerts on $name', (maker) => {
  const place = useAlertPlace(maker);

  test('what had ended before a rule was put is not for it, nor is what it does not mean', async () => {
    await place.end('nightly');
    await putRule(place.store, 'failures', { on: 'failed', flows: ['nightly'], tags: ['eu'] });
    await place.end('other', 'FAILED', { tags: ['eu'] });
    await place.end('nightly');
    await place.end('nightly', 'FAILED', { tags: ['eu', 'x'] });
    expect((await evaluateAll(alertParts(place.store))).map(({ group }) => group)).toEqual(['nightly']);
    expect(await place.stateOf('failures')).toEqual([['nightly', 'firing', 1]]);
  });

  test('a rule that is put as it stands goes on; one that is put paused has ended, and begins anew', async () => {
    const parts = alertParts(place.store);
    const put = await putRule(place.store, 'failures', { on: 'failed' });
    await place.end('nightly');
    await evaluateAll(parts);
    const again = await place.store.alerts.rules.put({ ...put, updatedAt: put.updatedAt + 5 });
    expect(again).toEqual(put);
    expect(await place.stateOf('failures')).toEqual([['nightly', 'firing', 1]]);
    const described = await place.store.alerts.rules.put({ ...put, description: 'Call.', updatedAt: put.updatedAt + 5 });
    expect(described).toMatchObject({ description: 'Call.', updatedAt: put.updatedAt + 5 });
    expect(await place.stateOf('failures')).toEqual([['nightly', 'firing', 1]]);
    await place.store.alerts.rules.put({ ...described, pausedAt: Date.now(), updatedAt: put.updatedAt + 6 });
    expect(await place.stateOf('failures')).toEqual([['nightly', 'resolved', 1]]);
    await place.end('nightly');
    await place.store.alerts.rules.put({ ...described, updatedAt: put.updatedAt + 7 });
    expect(await evaluateAll(parts)).toEqual([]);
  });

  test('rules that change while schedulers decide leave no alert of a rule that is gone', async () => {
    const other = await place.here.open();
    for (let round = 0; round < 5; round++) {
      await putRule(place.store, 'failures', { on: 'failed' });
      for (let at = 0; at < 5; at++) await place.end(`flow-${at}`);
      await Promise.all([evaluateAll(alertParts(place.store)), other.alerts.rules.delete('failures', Date.now())]);
      expect((await place.store.alerts.list({ states: ['firing'] })).items).toEqual([]);
    }
  });

  test('a rule that is deleted, paused or changed has found what it has, and that is over', async () => {
    const parts = alertParts(place.store);
    await putRule(place.store, 'failures', { on: 'failed' });
    await place.end('nightly');
    await evaluateAll(parts);
    await putRule(place.store, 'failures', { on: 'failed', flows: ['nightly'] });
    expect(await place.stateOf('failures')).toEqual([['nightly', 'resolved', 1]]);
    await place.end('nightly');
    await evaluateAll(parts);
    await place.store.alerts.rules.pause('failures', Date.now());
    await place.end('nightly');
    expect(await evaluateAll(parts)).toEqual([]);
    await place.store.alerts.rules.pause('failures', null);
    expect(await evaluateAll(parts)).toEqual([]);
    await place.end('nightly');
    expect((await evaluateAll(parts)).map(({ kind }) => kind)).toEqual(['fired']);
    expect(await place.store.alerts.rules.delete('failures', Date.now())).toBe(true);
    expect((await place.store.alerts.list({ states: ['firing'] })).items).toEqual([]);
    expect((await evaluateAlerts(parts)).firings).toEqual([]);
  });
});
