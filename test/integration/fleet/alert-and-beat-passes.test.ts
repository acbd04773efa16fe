/** What the scheduler's loops of alerts do in a pass, and how it shows that it is alive. */
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alertsLoop, deliveriesLoop } from '../../../scheduler/loops/alerts.ts';
import { beatLoop } from '../../../scheduler/loops/beat.ts';
import type { SendDelivery } from '../../../src/alerts/deliver.ts';
import { evaluateAlerts } from '../../../src/alerts/evaluate.ts';
import { BatutaError } from '../../../src/base/errors.ts';
import { endRun, startRun } from '../../contract/store/rows.ts';
import { alertParts, putRule } from '../../support/alerts.ts';
import { type HandLoops, openHandLoops } from '../../support/hand-loops.ts';
import { gate } from '../../support/make-flow.ts';

const away = new BatutaError('STORE_UNAVAILABLE', 'The store is away.');

let at: HandLoops;
beforeEach(async () => {
  at = await openHandLoops();
});
afterEach(() => at.close());

/** A run fails that a rule covers, which sends to so many receivers. */
async function fail(flow = 'nightly'): Promise<void> {
  await endRun(at.store, await startRun(at.store, { flow }), 'FAILED', Date.now());
}
const sendTo = (...hosts: readonly string[]) => hosts.map((host) => ({ webhook: `https://${host}.example/hook` }));

describe('the look for alerts', () => {
  let fired: number;
  beforeEach(() => void (fired = 0));
  const loop = () => alertsLoop(at.parts, alertParts(at.store), { intervalMs: 1_000, onFired: () => void fired++ });

  test('calls for what is to be sent once a rule fires, and not before', async () => {
    await putRule(at.store, 'failures', { on: 'failed', send: sendTo('a') });
    await at.pass(loop());
    expect(fired).toBe(0);
    await fail();
    await at.pass(loop());
    expect(fired).toBe(1);
    await at.pass(loop());
    expect(fired).toBe(1);
  });

  test('goes on at once while there are ends to be read, and after another scheduler was first', async () => {
    await putRule(at.store, 'failures', { on: 'failed', send: sendTo('a') });
    await at.pass(loop());
    for (let left = 3; left > 0; left--) await fail(`flow-${left}`);
    const { ends } = at.store.triggers;
    Object.assign(at.store.triggers, { ends: (...[reader, wish]: Parameters<typeof ends>) => ends(reader, wish, 1) });
    const { decide } = at.store.alerts;
    let decisions = 0;
    Object.assign(at.store.alerts, {
      decide: (...step: Parameters<typeof decide>) => (decisions++ === 0 ? Promise.resolve(null) : decide(...step)),
    });
    await at.pass(loop());
    expect(fired).toBe(3);
  });

  test('that fails is told, and made again', async () => {
    await putRule(at.store, 'failures', { on: 'failed', send: sendTo('a') });
    await fail();
    const { active } = at.store.alerts.rules;
    Object.assign(at.store.alerts.rules, { active: () => Promise.reject(away) });
    const service = loop();
    await service.start();
    await at.rests();
    expect([fired, at.logged]).toEqual([0, ['Alerts could not be looked for; they are once the database is back.']]);
    Object.assign(at.store.alerts.rules, { active });
    await at.fire(2_000);
    expect(fired).toBe(1);
    await service.stop();
  });
});

describe('the outbox', () => {
  const loop = (send: SendDelivery) =>
    deliveriesLoop(at.parts, { services: at.engine.services, leaseMs: 60_000, send }, { intervalMs: 1_000 });
  async function firings(count: number, ...hosts: readonly string[]): Promise<void> {
    await putRule(at.store, 'failures', { on: 'failed', send: sendTo(...hosts) });
    await evaluateAlerts(alertParts(at.store));
    for (let left = count; left > 0; left--) await fail(`flow-${left}`);
    await evaluateAlerts(alertParts(at.store));
  }
  const pending = async (): Promise<number> => (await at.store.alerts.outbox.state()).pending;

  test('is emptied at once, however much one receiver is owed', async () => {
    await firings(25, 'a', 'b');
    expect(await pending()).toBe(50);
    await at.pass(loop(async () => 'taken'));
    expect(await pending()).toBe(0);
  });

  test('waits for the next pass once a receiver does not accept', async () => {
    await firings(1, 'a');
    let sends = 0;
    await at.pass(loop(() => (sends++, Promise.reject(new Error('It is away.')))));
    expect([sends, await pending(), at.timers()]).toEqual([1, 1, []]);
  });

  test('stops in the middle of a delivery when the scheduler ends, and leaves it to another', async () => {
    await firings(1, 'a');
    const sending = gate<AbortSignal>();
    const service = loop(async (_, signal) => {
      sending.open(signal);
      return await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    });
    await service.start();
    await sending.opened;
    await service.stop();
    expect(await pending()).toBe(1);
    await at.pass(loop(async () => 'taken'));
    expect(await pending()).toBe(0);
  });

  test('that cannot be read is told, and read again', async () => {
    await firings(1, 'a');
    const { claim } = at.store.alerts.outbox;
    Object.assign(at.store.alerts.outbox, { claim: () => Promise.reject(away) });
    const service = loop(async () => 'taken');
    await service.start();
    await at.rests();
    expect(at.logged).toEqual(['Alerts could not be sent; they are once the database is back.']);
    Object.assign(at.store.alerts.outbox, { claim });
    await at.fire(2_000);
    expect(await pending()).toBe(0);
    await service.stop();
  });
});

describe('the sign of life', () => {
  let steps: string[];
  let lines: string[];
  let answer: () => Promise<void>;
  beforeEach(() => {
    [steps, lines, answer] = [[], [], async () => undefined];
    Object.assign(at.store.fleet, { owners: async () => (steps.push('ask'), await answer(), []) });
  });
  const healthFile = { beat: async () => void steps.push('beat'), remove: async () => void steps.push('remove') };
  const loop = () => {
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push((JSON.parse(line) as { msg: string }).msg) });
    return beatLoop({ ...at.parts, log }, { intervalMs: 5_000, healthFile });
  };

  test('is renewed once the database has answered, and removed at the end', async () => {
    const service = loop();
    await service.start();
    await at.rests();
    await at.fire(5_000);
    expect(steps).toEqual(['ask', 'beat', 'ask', 'beat']);
    await service.stop();
    expect([steps.at(-1), at.timers(), lines]).toEqual(['remove', [], []]);
  });

  test('is not renewed while the database is away, is tried as often as before, and is back once it is', async () => {
    answer = () => Promise.reject(away);
    const service = loop();
    await service.start();
    await at.rests();
    for (let failures = 2; failures <= 4; failures++) {
      expect(at.timers()).toEqual([5_000]);
      await at.fire(5_000);
    }
    expect([steps.includes('beat'), lines.length]).toEqual([false, 4]);
    answer = async () => undefined;
    await at.fire(5_000);
    await at.fire(5_000);
    expect(steps.filter((step) => step === 'beat')).toHaveLength(2);
    expect(lines.slice(3)).toEqual(['The scheduler could not report that it is alive.', 'The scheduler reports again.']);
    await service.stop();
  });

  test('does not come back after the end, even if it was on its way', async () => {
    const [asked, answered] = [gate(), gate()];
    answer = () => (asked.open(), answered.opened);
    const service = loop();
    await service.start();
    await asked.opened;
    const stopped = service.stop();
    answered.open();
    await stopped;
    expect(steps.at(-1)).toBe('remove');
  });

  test('of a scheduler that never started is nobody', async () => {
    await loop().stop();
    expect(steps).toEqual([]);
  });
});
