/** What alerts tell: each receiver gets it in order, under one id, over both makers. */
import { describe, expect, test } from 'vitest';
import { makeId } from '../../../src/base/id.ts';
import { keptAttempts } from '../../../src/model/alerts/alert.ts';
import type { Store } from '../../../src/store/store.ts';
import { alertParts, deliverOnce, evaluateAll, openReceiver, passTime, putRule, rowsIn } from '../../support/alerts.ts';
import { useAlertPlace } from './alert-place.ts';
import { makers } from './makers.ts';

describe.each(makers)('deliveries of alerts on $name', (maker) => {
  const place = useAlertPlace(maker);

  test('a silenced alert is noted and sent to nobody; it is sent once the silence is over and it is found again', async () => {
    await putRule(place.store, 'failures', { on: 'failed', send: place.webhook });
    const now = await place.store.alerts.watch.now();
    const silence = {
      id: makeId(),
      rule: 'failures',
      group: 'nightly',
      untilAt: now + 3_600_000,
      reason: null,
      who: 'ada',
      createdAt: now,
    };
    await place.store.alerts.silences.add(silence);
    await place.end('nightly');
    await place.end('other');
    const parts = alertParts(place.store);
    expect((await evaluateAll(parts)).map(({ group, silenced }) => [group, silenced])).toEqual([
      ['nightly', true],
      ['other', false],
    ]);
    await place.end('nightly');
    expect(await evaluateAll(parts)).toEqual([]);
    await place.store.alerts.silences.delete(silence.id);
    await place.end('nightly');
    expect((await evaluateAll(parts)).map(({ group, kind }) => [group, kind])).toEqual([['nightly', 'fired']]);
    await deliverOnce(place.store);
    expect(place.receiver.taken.map(({ json }) => json.data.group)).toEqual(['other', 'nightly']);
  });

  test('a receiver that is away for an hour gets all in order, each under one id', async () => {
    const { here, store, receiver } = place;
    await putRule(store, 'failures', { on: 'failed', send: place.webhook, repeat: 0 });
    receiver.answer = 503;
    for (let at = 0; at < 12; at++) {
      await place.end(`flow-${at}`);
      await evaluateAll(alertParts(store));
      await deliverOnce(store);
      await passTime(here.url, 300_000);
    }
    const refused = receiver.taken.length;
    expect(refused).toBe(12);
    expect(new Set(receiver.taken.map(({ id }) => id)).size).toBe(1);
    receiver.answer = 204;
    await deliverOnce(store);
    expect((await store.alerts.outbox.state()).pending).toBe(0);
    const accepted = receiver.taken.slice(refused);
    expect(accepted.map(({ json }) => json.data.group)).toEqual(Array.from({ length: 12 }, (_, at) => `flow-${at}`));
    expect(accepted[0]?.id).toBe(receiver.taken[0]?.id);
    expect(new Set(accepted.map(({ id }) => id)).size).toBe(12);
    const [first] = await store.alerts.firings({ rule: 'failures' }, 100).then((all) => all.slice(-1));
    expect(first?.deliveries).toMatchObject([{ state: 'sent', answer: '204', attempts: refused + 1 }]);
    const attempts = Array.from({ length: 12 }, (_, at) => ({ attempt: at + 1, state: 'pending', answer: '503 ok' }));
    expect(first?.deliveries[0]?.lastAttempts).toMatchObject([...attempts, { attempt: 13, state: 'sent', answer: '204' }]);
  });

  test('of a delivery that is tried often the last attempts are kept, and go with it', async () => {
    const { here, store, receiver } = place;
    await putRule(store, 'failures', { on: 'failed', send: place.webhook });
    await place.end('nightly');
    await evaluateAll(alertParts(store));
    receiver.answer = 503;
    for (let at = 0; at < keptAttempts + 5; at++) {
      await deliverOnce(store);
      await passTime(here.url, 60_000);
    }
    const [firing] = await store.alerts.firings({ rule: 'failures' }, 1);
    expect(firing?.deliveries[0]).toMatchObject({ attempts: keptAttempts + 5, state: 'pending' });
    expect(firing?.deliveries[0]?.lastAttempts.map(({ attempt }) => attempt)).toEqual(
      Array.from({ length: keptAttempts }, (_, at) => at + 6),
    );
    receiver.answer = 204;
    await deliverOnce(store);
    await place.end('nightly', 'COMPLETED');
    await evaluateAll(alertParts(store));
    await deliverOnce(store);
    await store.alerts.prune(Date.now() + 60_000);
    expect(await rowsIn(here.url, 'alert_attempts')).toBe(0);
  });

  test('a receiver with much to take keeps no other waiting, and one whose record fails none either', async () => {
    const other = await openReceiver();
    try {
      await putRule(place.store, 'many', { on: 'failed', send: place.webhook, repeat: 0 });
      await putRule(place.store, 'few', { on: 'failed', flows: ['flow-0'], send: { webhook: other.url }, repeat: 0 });
      for (let at = 0; at < 25; at++) await place.end(`flow-${at}`);
      await evaluateAll(alertParts(place.store));
      expect(await deliverOnce(place.store)).toBe(true);
      expect([place.receiver.taken.length, other.taken.length]).toEqual([20, 1]);
      await place.end('flow-0');
      await evaluateAll(alertParts(place.store));
      const { outbox } = place.store.alerts;
      const next: typeof outbox.next = async (to) => (to.includes(other.url) ? Promise.reject(new Error('no row')) : outbox.next(to));
      const faulty: Store = { ...place.store, alerts: { ...place.store.alerts, outbox: { ...outbox, next } } };
      await expect(deliverOnce(faulty)).rejects.toThrow('no row');
      // The turn of the first was over before the error of the second was thrown.
      const groups = Array.from({ length: 25 }, (_, at) => `flow-${at}`);
      expect(place.receiver.taken.map(({ json }) => json.data.group)).toEqual([...groups, 'flow-0']);
      expect(await deliverOnce(place.store)).toBe(false);
    } finally {
      await other.close();
    }
  });

  test('of two that send to one receiver, the one whose lease has ended records nothing', async () => {
    await putRule(place.store, 'failures', { on: 'failed', send: place.webhook });
    await place.end('nightly');
    await evaluateAll(alertParts(place.store));
    const { outbox } = place.store.alerts;
    const [frozen] = await outbox.claim('a', 0, 10);
    const delivery = await outbox.next(frozen?.receiver ?? '');
    expect(await outbox.claim('b', 60_000, 10)).toMatchObject([{ receiver: frozen?.receiver, epoch: 2 }]);
    expect(await outbox.claim('c', 60_000, 10)).toEqual([]);
    expect(await outbox.settle(frozen!, delivery!.id, { state: 'sent', answer: '200' }, 1_000)).toBe(false); // oxlint-disable-line typescript/no-non-null-assertion -- asserted above
    expect((await outbox.state()).pending).toBe(1);
  });

  test('what was over long ago is deleted, and what is pending stays', async () => {
    await putRule(place.store, 'failures', { on: 'failed', send: place.webhook });
    const parts = alertParts(place.store);
    await place.end('nightly');
    await place.end('nightly', 'COMPLETED');
    await evaluateAll(parts);
    await place.store.alerts.prune(Date.now() + 60_000);
    expect((await place.store.alerts.list()).items).toHaveLength(1);
    await deliverOnce(place.store);
    expect(place.receiver.taken).toHaveLength(2);
    await place.store.alerts.prune(Date.now() + 60_000);
    expect((await place.store.alerts.list()).items).toEqual([]);
    expect(await place.store.alerts.firings({ rule: 'failures' }, 10)).toEqual([]);
  });
});
