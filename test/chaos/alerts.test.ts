/** Alerts whose scheduler is killed between finding and sending: each is sent, under one id, in order. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyDelivery } from '../../src/secrets/webhook-signature.ts';
import { checkWebhook } from '../../src/client/declared-webhook.ts';
import { makers } from '../contract/store/makers.ts';
import { endRun, startRun } from '../contract/store/rows.ts';
import { openReceiver, passTime, putRule } from '../support/alerts.ts';
import { compileProgram, type Program, startProgram } from '../support/run-source.ts';
import type { AlertsOrder } from './alerts-program.ts';

const flows = Array.from({ length: 8 }, (_, at) => `flow-${at}`);
const leaseMs = 2_000;

let program: Program;
beforeAll(async () => {
  program = await compileProgram(`import './test/chaos/alerts-program.ts';`);
});
afterAll(() => program.remove());

describe.each(makers)('alerts on $name', (maker) => {
  test('that is killed before and after each step sends each alert, none under a second id, and none out of order', {
    timeout: 300_000,
  }, async () => {
    const place = await maker.makePlace();
    const receiver = await openReceiver();
    try {
      const store = await place.open();
      await putRule(store, 'failures', { on: 'failed', send: { webhook: receiver.url, secret: 'shared' } });
      const dies = (death: AlertsOrder['death']): Promise<void> => run(program, { url: place.url, leaseMs, death });
      const fail = async (...names: readonly string[]): Promise<void> => {
        for (const flow of names) await endRun(store, await startRun(store, { flow }), 'FAILED', Date.now());
      };
      await fail(...flows.slice(0, 5));
      await dies({ at: 'before firing', nth: 1 });
      expect((await store.alerts.outbox.state()).pending).toBe(0);
      await dies({ at: 'after firing', nth: 1 });
      expect((await store.alerts.outbox.state()).pending).toBe(5);
      expect(receiver.taken).toEqual([]);
      await dies({ at: 'claimed', nth: 1 });
      expect(receiver.taken).toEqual([]);
      await dies({ at: 'answered', nth: 2 });
      expect(receiver.taken).toHaveLength(2);
      await fail(...flows.slice(5));
      await dies({ at: 'answered', nth: 1 });
      await dies({ at: 'recorded', nth: 2 });
      await dies(null);

      const ids = new Map<string, Set<string>>();
      const order: string[] = [];
      for (const { id, json } of receiver.taken) {
        const { group } = json.data as { readonly group: string };
        if (!ids.has(group)) order.push(group);
        ids.set(group, (ids.get(group) ?? new Set()).add(id));
      }
      expect(order).toEqual(flows);
      for (const known of ids.values()) expect(known.size).toBe(1);
      // Those that were answered and not recorded came again, under the same id; so does one that is on its way for longer than the lease.
      expect(receiver.taken.length).toBeGreaterThanOrEqual(flows.length + 2);
      expect((await store.alerts.outbox.state()).pending).toBe(0);
      const rule = checkWebhook('own', { secrets: ['shared'] });
      for (const { headers, body } of receiver.taken)
        expect(verifyDelivery(rule, ['secret of shared'], { headers, body: Buffer.from(body) }, Date.now())).toMatchObject({ ok: true });
      await store.close();
    } finally {
      await receiver.close();
      await place.remove();
    }
  });

  test('that is killed while their receiver is down for an hour sends all in order once it is back, each under the id it was written with', {
    timeout: 300_000,
  }, async () => {
    const place = await maker.makePlace();
    let receiver = await openReceiver();
    const { port } = new URL(receiver.url);
    try {
      const store = await place.open();
      await putRule(store, 'failures', { on: 'failed', send: { webhook: receiver.url } });
      await receiver.close();
      const deaths = ['after firing', 'claimed', 'answered', 'recorded'] as const;
      for (const [at, flow] of flows.entries()) {
        await endRun(store, await startRun(store, { flow }), 'FAILED', Date.now());
        await run(program, { url: place.url, leaseMs, death: { at: deaths[at % deaths.length] ?? 'claimed', nth: 1 } });
        await passTime(place.url, 3_600_000 / flows.length);
      }
      const written = (await store.alerts.firings({ rule: 'failures' }, 100)).toReversed();
      expect(written.map(({ group }) => group)).toEqual(flows);
      expect(written[0]?.deliveries[0]?.answer).toContain('ECONNREFUSED');
      receiver = await openReceiver(Number(port));
      await run(program, { url: place.url, leaseMs, death: null });
      expect(receiver.taken.map(({ json }) => json.data.group)).toEqual(flows);
      expect(receiver.taken.map(({ id }) => id)).toEqual(written.map(({ deliveries }) => deliveries[0]?.id));
      await store.close();
    } finally {
      await receiver.close();
      await place.remove();
    }
  });
});

/** Runs the program until it ends as it was ordered to. */
async function run(program: Program, order: AlertsOrder): Promise<void> {
  const { signal, status, stderr } = await startProgram(program, [JSON.stringify(order)]).ended;
  expect([signal, status], stderr).toEqual(order.death === null ? [null, 0] : ['SIGKILL', null]);
}
