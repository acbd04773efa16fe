/** Alerts from the end of a run to who is told, by a real scheduler, a server of SMTP and one of HTTP on this computer. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Flow, Task, type TaskContext } from 'batuta';
import { SMTPServer } from 'smtp-server';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startScheduler } from '../../../scheduler/scheduler.ts';
import { loadConfig } from '../../../src/base/config.ts';
import { openLog } from '../../../src/base/log.ts';
import type { SentFiring } from '../../../src/client/alerts-client.ts';
import type { FleetProcess } from '../../../src/client/fleet-process.ts';
import type { LocalClient } from '../../../src/client/local-client.ts';
import { openLocalClient } from '../../../src/client/open-local-client.ts';
import { endRun, startRun } from '../../contract/store/rows.ts';
import { openReceiver, type Receiver } from '../../support/alerts.ts';

@Flow({ name: 'breaks' })
class Breaks {
  @Task()
  async load({ params }: TaskContext<{ id: number }>): Promise<void> {
    throw new RangeError(`customer ${params.id} has no "name${params.id}"`);
  }
}

@Flow({ name: 'lingers' })
class Lingers {
  @Task()
  async wait({ signal }: TaskContext): Promise<void> {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }
}

@Flow({ name: 'counts' })
class Counts {
  @Task()
  async rows({ metrics, params }: TaskContext<{ rows: number }>): Promise<void> {
    metrics.set('rows', params.rows);
  }
}

let folder: string;
let client: LocalClient;
let scheduler: FleetProcess;
let receiver: Receiver;
let smtp: SMTPServer;
let mails: string[];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'batuta-alerts-'));
  receiver = await openReceiver();
  mails = [];
  smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, _session, done) {
      let text = '';
      stream.setEncoding('utf8');
      stream.on('data', (chunk: string) => void (text += chunk));
      stream.on('end', () => {
        mails.push(text);
        done();
      });
    },
  });
  await new Promise<void>((resolve) => void smtp.listen(0, '127.0.0.1', resolve));
  const { config } = await loadConfig({
    env: {
      BATUTA_DATABASE_URL: `sqlite:${join(folder, 'batuta.db')}`,
      BATUTA_RESULTS: join(folder, 'results'),
      BATUTA_SECRET_KEY: randomBytes(32).toString('hex'),
      BATUTA_ALERT_HOSTS: '127.0.0.1',
      BATUTA_PUBLIC_URL: 'https://batuta.example',
      BATUTA_SMTP_URL: `smtp://127.0.0.1:${(smtp.server.address() as AddressInfo).port}`,
      BATUTA_SMTP_FROM: 'batuta@example.com',
      BATUTA_LOG_LEVEL: 'silent',
    },
  });
  const log = await openLog({ level: 'silent', format: 'json' });
  client = await openLocalClient({ config, log });
  scheduler = await startScheduler({ config, log, cwd: folder });
});
afterEach(async () => {
  await scheduler.stop(10_000);
  await client.close();
  await receiver.close();
  await new Promise<void>((resolve) => smtp.close(() => resolve()));
  rmSync(folder, { recursive: true, force: true });
});

/** What a look gives, once it gives something. */
async function until<T>(look: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Firings of a rule, once all of so many are sent or given up. */
function settled(rule: string, count: number): Promise<readonly SentFiring[]> {
  return until(async () => {
    const firings = await client.alerts.firings(rule);
    const deliveries = firings.flatMap((firing) => firing.deliveries);
    return firings.length >= count && deliveries.every(({ state }) => state !== 'pending') && firings;
  });
}

const fails = async (id: number): Promise<string> => {
  const handle = await client.submit(Breaks, { id });
  await handle.result().catch(() => undefined);
  return handle.id;
};

test('a run that fails is reported by mail, in Slack and by a signed webhook, each under the id of its delivery', {
  timeout: 60_000,
}, async () => {
  await client.secrets.set('ops-slack', { value: receiver.url.replace('/hook', '/slack') });
  await client.secrets.set('hook-key', { value: 'hook-key-value' });
  await client.alerts.setRule('failures', {
    on: 'failed',
    description: 'Look at the <load>.',
    send: [{ email: ['a@example.com', 'b@example.com'] }, { slack: 'ops-slack' }, { webhook: receiver.url, secret: 'hook-key' }],
  });
  const run = await fails(7);
  const [firing] = await settled('failures', 1);
  expect(firing?.deliveries.map(({ kind, state, answer, receiver: to }) => [kind, state, answer?.slice(0, 3), to])).toEqual([
    ['email', 'sent', '250', 'email a@example.com, b@example.com'],
    ['slack', 'sent', '200', 'slack ops-slack'],
    ['webhook', 'sent', '200', `webhook ${receiver.url}`],
  ]);
  const [mail] = mails;
  expect(mail).toContain(`Message-ID: <${firing?.deliveries[0]?.id}@batuta>`);
  expect(mail).toContain('To: a@example.com, b@example.com');
  expect(mail).toMatch(/^Subject: .*failures/m);
  expect(mail?.replaceAll('=\r\n', '')).toContain('RangeError in load, attempt 1 of 1: customer 7 has no');
  const slack = receiver.taken.find(({ headers }) => headers['webhook-id'] === undefined);
  expect(slack?.json.text).toContain('failures · breaks');
  expect(slack?.json.blocks[0].text.text).toContain('&lt;load&gt;');
  const hook = receiver.taken.find(({ headers }) => headers['webhook-id'] !== undefined);
  expect(hook?.id).toBe(firing?.deliveries[2]?.id);
  const [alert] = (await client.alerts.list()).items;
  expect(hook?.json).toMatchObject({
    type: 'alert.fired',
    data: { rule: 'failures', group: 'breaks', state: 'firing', run: { id: run }, url: `https://batuta.example/alerts?alert=${alert?.id}` },
  });
});

test('a webhook to a private address is refused and given up, whatever the rule says', { timeout: 60_000 }, async () => {
  await client.alerts.setRule('inside', {
    on: 'failed',
    send: [{ webhook: 'http://10.0.0.1/x' }, { webhook: 'http://[::ffff:10.0.0.1]/x' }],
  });
  await fails(1);
  const [firing] = await settled('inside', 1);
  expect(firing?.deliveries.map(({ state, attempts }) => [state, attempts])).toEqual([
    ['failed', 1],
    ['failed', 1],
  ]);
  expect(firing?.deliveries[0]?.answer).toContain('BATUTA_ALERT_HOSTS');
});

test('a long run is cancelled, a deployment is paused, and another is run once', { timeout: 60_000 }, async () => {
  const { store } = client.engine.services;
  await client.deployments.deploy([
    { flow: Counts, name: 'nightly', params: { rows: 1 } },
    { flow: Counts, name: 'cleanup', params: { rows: 2 } },
  ]);
  await client.alerts.setRule('stuck', { on: { longer: 1 }, flows: ['lingers'], send: 'cancel' });
  await client.alerts.setRule('broken', {
    on: 'failed',
    deployments: ['nightly'],
    send: ['pause', { run: 'cleanup', params: { rows: 5 } }, { run: 'nowhere' }],
  });
  const lingering = await client.submit(Lingers);
  const claim = await startRun(store, { flow: 'counts', deployment: 'nightly' });
  await endRun(store, claim, 'FAILED', Date.now());
  await lingering.result().catch(() => undefined);
  expect((await lingering.get()).state).toMatchObject({ type: 'CANCELLED' });
  expect((await settled('stuck', 1))[0]?.deliveries[0]).toMatchObject({ state: 'sent' });
  const [firing] = await settled('broken', 1);
  expect(firing?.deliveries.map(({ kind, state }) => [kind, state])).toEqual([
    ['pause', 'sent'],
    ['run', 'sent'],
    ['run', 'failed'],
  ]);
  expect(firing?.deliveries[2]?.answer).toContain('nowhere');
  expect((await client.deployments.get('nightly')).pausedAt).not.toBeNull();
  const { items } = await client.runs.list({ deployment: 'cleanup' });
  expect(items).toHaveLength(1);
  expect((await client.runs.inspect(items[0]?.id ?? '')).params).toEqual({ rows: 5 });
});

test('a metric of a task fires its rule and a later one in its bounds ends it', { timeout: 60_000 }, async () => {
  await client.alerts.setRule('empty', { on: { metric: 'rows', below: 1 }, send: { webhook: receiver.url } });
  await (await client.submit(Counts, { rows: 3 })).result();
  await (await client.submit(Counts, { rows: 0 })).result();
  await settled('empty', 1);
  await (await client.submit(Counts, { rows: 4 })).result();
  const firings = await settled('empty', 2);
  expect(firings.map(({ kind, summary }) => [kind, summary.replace(/^.*: /, '')])).toEqual([
    ['resolved', 'rows of rows is 0, below 1.'],
    ['fired', 'rows of rows is 0, below 1.'],
  ]);
});

test('a test is sent to people alone', { timeout: 60_000 }, async () => {
  await client.deployments.deploy([{ flow: Counts, name: 'cleanup', params: { rows: 2 } }]);
  await client.alerts.setRule('failures', { on: 'failed', send: [{ run: 'cleanup' }, { webhook: receiver.url }] });
  await client.alerts.testRule('failures');
  const [firing] = await settled('failures', 1);
  expect([firing?.kind, firing?.deliveries.map(({ kind }) => kind)]).toEqual(['test', ['webhook']]);
  expect((await client.runs.list({ deployment: 'cleanup' })).items).toEqual([]);
  expect((await client.alerts.list()).items).toEqual([]);
});

test('errors that differ in values are one; resolved it is open again once it comes again, ignored it is not', {
  timeout: 60_000,
}, async () => {
  for (const id of [1, 22, 333]) await fails(id);
  const [error, ...others] = (await client.errors.list()).items;
  expect(others).toEqual([]);
  expect(error).toMatchObject({ flow: 'breaks', name: 'RangeError', task: 'load', count: 3, state: 'open', isReopened: false });
  expect(error?.frame).toMatch(/alerts\.test\.ts:\d+$/);
  const key = error?.key ?? '';
  expect(await client.errors.mark(key, 'resolved', { who: 'ada' })).toMatchObject({ state: 'resolved', markedBy: 'ada' });
  expect((await client.errors.list()).items).toEqual([]);
  const last = await fails(4_444);
  expect((await client.errors.list()).items).toMatchObject([{ count: 4, state: 'open', isReopened: true, lastRunId: last }]);
  await client.errors.mark(key, 'ignored');
  await fails(5);
  expect((await client.errors.list()).items).toEqual([]);
  expect((await client.errors.list({ state: 'ignored' })).items).toMatchObject([{ count: 5 }]);
  expect(await client.errors.mark(key, 'open')).toMatchObject({ state: 'open', isReopened: false, markedAt: null });
  await expect(client.errors.get('0000000000000000')).rejects.toMatchObject({ code: 'ERROR_GROUP_NOT_FOUND' });
});
