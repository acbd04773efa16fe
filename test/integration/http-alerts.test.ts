/** Alerts and errors over HTTP beside the store: the same answers, the same refusals; roles, and who did it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import type { LocalClient } from '../../src/client/local-client.ts';
import { alertParts, evaluateAll } from '../support/alerts.ts';
import { openTwoClients, refusalOf, type TwoClients } from '../support/two-clients.ts';

let clients: TwoClients;
let local: LocalClient;
let http: Client;
beforeAll(async () => {
  clients = await openTwoClients();
  ({ local, http } = clients);
});
afterAll(() => clients.close());

test('rules are put, read, paused, resumed, tested and deleted', async () => {
  const spec = {
    on: { failureRate: 0.5, within: '1h', atLeast: 3 },
    flows: ['fails'],
    by: 'flow',
    send: [{ webhook: 'https://hooks.example/x' }, { email: 'a@example.com' }, { run: 'cleanup', params: { rows: 1 } }, 'pause'],
    repeat: '1h',
    description: 'Call somebody.',
  } as const;
  const put = await http.alerts.setRule('rate', spec);
  expect(put).toMatchObject({
    name: 'rate',
    origin: 'hand',
    rule: { condition: { kind: 'failure-rate', share: 0.5, withinMs: 3_600_000 }, repeatMs: 3_600_000 },
  });
  expect(put).toEqual(await local.alerts.rule('rate'));
  expect(await http.alerts.rules()).toEqual(await local.alerts.rules());
  expect((await http.alerts.pauseRule('rate')).pausedAt).not.toBeNull();
  expect((await http.alerts.setRule('rate', spec)).pausedAt).not.toBeNull();
  expect((await http.alerts.resumeRule('rate')).pausedAt).toBeNull();
  const firing = await http.alerts.testRule('rate');
  expect(firing.kind).toBe('test');
  expect(await http.alerts.firings('rate')).toEqual(await local.alerts.firings('rate'));
  expect((await http.alerts.firings('rate'))[0]?.deliveries.map(({ kind }) => kind)).toEqual(['webhook', 'email']);
  await http.alerts.deleteRule('rate');
  expect(await local.alerts.rules()).toEqual([]);
});

test('alerts are listed, read and resolved, and silences kept', async () => {
  await http.alerts.setRule('failures', { on: 'failed' });
  const run = await clients.ended('fails');
  await evaluateAll(alertParts(local.engine.services.store));
  const { items } = await http.alerts.list({ states: ['firing'], rule: 'failures' });
  expect(items).toEqual((await local.alerts.list()).items);
  expect(items).toMatchObject([{ group: 'fails', runId: run.id, count: 1 }]);
  const id = items[0]?.id ?? '';
  expect(await http.alerts.get(id.slice(-8))).toEqual(await local.alerts.get(id));
  expect(await http.alerts.resolve(id)).toMatchObject({ state: 'resolved', resolvedBy: 'local' });
  const silence = await http.alerts.silence({ rule: 'failures', group: 'fails', for: '2h', reason: 'migration' });
  expect(await http.alerts.silences()).toEqual([silence]);
  expect(await local.alerts.silences()).toEqual([silence]);
  await http.alerts.unsilence(silence.id);
  expect(await http.alerts.silences()).toEqual([]);
  const audit = (await local.audit.list({ limit: 50 })).items.map(({ action, target }) => [action, target]);
  expect(audit).toEqual(
    expect.arrayContaining([
      ['alert-rules.set', 'failures'],
      ['alerts.resolve', id],
      ['alerts.silence', 'failures'],
    ]),
  );
});

test('errors are listed and marked', async () => {
  const { items } = await http.errors.list();
  expect(items).toEqual((await local.errors.list()).items);
  expect(items).toMatchObject([{ flow: 'fails', name: 'TypeError', task: 'bad', count: 1 }]);
  const key = items[0]?.key ?? '';
  expect(await http.errors.mark(key, 'ignored', { flow: 'fails' })).toMatchObject({ state: 'ignored', markedBy: 'local' });
  expect(await http.errors.get(key)).toEqual(await local.errors.get(key));
  expect((await http.errors.list({ since: Date.now() - 60_000, state: 'all', flow: 'fails' })).items).toHaveLength(1);
  expect((await http.errors.list()).items).toEqual([]);
});

test('both refuse the same in the same words', async () => {
  const spec = (changes: object): never => ({ on: 'failed', ...changes }) as never;
  for (const ask of [
    (client: Client) => client.alerts.get('0123456789'),
    (client: Client) => client.alerts.resolve('nothing'),
    (client: Client) => client.alerts.rule('nothing'),
    (client: Client) => client.alerts.deleteRule('nothing'),
    (client: Client) => client.alerts.testRule('nothing'),
    (client: Client) => client.alerts.unsilence('nothing'),
    (client: Client) => client.alerts.silence({ rule: 'nothing', for: '1h' }),
    (client: Client) => client.alerts.silence({ for: 'long' as never }),
    (client: Client) => client.alerts.silence({ for: '500d' }),
    (client: Client) => client.alerts.setRule('1 bad', spec({})),
    (client: Client) => client.alerts.setRule('x', spec({ send: 'cancel' })),
    (client: Client) => client.alerts.setRule('x', spec({ on: 'no-worker', flows: ['a'] })),
    (client: Client) => client.alerts.setRule('x', spec({ queues: ['a'] })),
    (client: Client) => client.alerts.setRule('x', spec({ on: { longer: { p95: 0 } } })),
    (client: Client) => client.alerts.setRule('x', spec({ on: { diskBelow: 'much' } })),
    (client: Client) => client.alerts.setRule('x', spec({ on: { metric: 'rows' } })),
    (client: Client) => client.alerts.setRule('x', spec({ on: { failureRate: 2, within: '1h' } })),
    (client: Client) => client.alerts.setRule('x', spec({ send: { webhook: 'ftp://x' } })),
    (client: Client) => client.alerts.setRule('x', spec({ send: { webhook: 'https://a:b@x.example' } })),
    (client: Client) => client.alerts.setRule('x', spec({ send: { slack: 'nowhere' } })),
    (client: Client) => client.alerts.setRule('x', spec({ send: { email: 'nobody' } })),
    (client: Client) => client.alerts.setRule('x', spec({ repeat: 'often' })),
    (client: Client) => client.errors.get('nothing'),
    (client: Client) => client.errors.mark('0123456789abcdef', 'resolved'),
    (client: Client) => client.alerts.list({ cursor: 'none' }),
    (client: Client) => client.errors.list({ flows: 'x' } as never),
  ]) {
    const [here, there] = [await refusalOf(ask(local)), await refusalOf(ask(http))];
    expect(there).toEqual(here);
  }
});
