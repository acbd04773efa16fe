/** A scheduler as a whole: which work it does by itself, and what it leaves behind when it stops or cannot start. */
import { existsSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { startScheduler } from '../../../scheduler/scheduler.ts';
import { loadConfig } from '../../../src/base/config.ts';
import { openLog } from '../../../src/base/log.ts';
import { identifyProcess } from '../../../src/base/process-identity.ts';
import type { FleetProcess } from '../../../src/client/fleet-process.ts';
import { openLocalClient } from '../../../src/client/open-local-client.ts';
import type { Owner } from '../../../src/model/run.ts';
import { stateOf } from '../../../src/model/state.ts';
import { readHealth } from '../../../src/observe/health-file.ts';
import { systemClock } from '../../../src/base/clock.ts';
import type { NewRun, Store } from '../../../src/store/store.ts';
import { openReceiver, putRule, rowsIn } from '../../support/alerts.ts';
import { declareLimit } from '../../contract/store/limited-runs.ts';
import { endRun, newRun, ownerNamed, startRun } from '../../contract/store/rows.ts';
import { claimTicks, deploy, hourMs, now, runsOf, takeRun } from '../../contract/store/ticking.ts';
import { makeFlow } from '../../support/make-flow.ts';
import { ownFolder } from '../../support/own-engine.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres.ts';
import { until } from '../../support/room.ts';
import { emit, putTriggered } from '../../support/triggers.ts';

const Plain = makeFlow({ work: {} }, { name: 'plain' });

/** A database with a client of its own. */
async function openHere() {
  const folder = ownFolder();
  const url = urlIn(folder);
  const client = await openLocalClient({ databaseUrl: url, results: join(folder, 'results') });
  onTestFinished(() => client.close());
  return { folder, url, client, store: client.engine.services.store };
}

const urlIn = (folder: string): string => `sqlite:${join(folder, 'batuta.db')}`;

/** Starts a scheduler over the database of a folder; it is stopped with the test at the latest. */
async function start(folder: string, env: Readonly<Record<string, string>> = {}): Promise<FleetProcess> {
  const own = { BATUTA_DATABASE_URL: urlIn(folder), BATUTA_RESULTS: join(folder, 'results'), BATUTA_ALERT_HOSTS: '127.0.0.1' };
  const { config } = await loadConfig({ env: { ...own, ...env } });
  const log = await openLog({ level: 'silent', format: 'json' });
  const scheduler = await startScheduler({ config, log, cwd: folder });
  onTestFinished(() => scheduler.stop(10_000));
  return scheduler;
}

async function insert(store: Store, changes: Partial<NewRun> = {}, expiresAt: number | null = null): Promise<string> {
  const run = newRun({ flow: 'plain', state: stateOf('SCHEDULED'), ...changes });
  await store.fleet.insertMany([{ run, idempotencyKey: null, expiresAt }]);
  return run.id;
}
const stateName = async (store: Store, id: string): Promise<string | undefined> => (await store.runs.get(id))?.state.name;

/** A process of this machine that has ended. */
const goneOwner: Owner = { ...identifyProcess(), id: `${identifyProcess().id}0`, processStartedAt: 1 };

describe('by itself, a scheduler', () => {
  /** Each prepares what is due, and gives what tells that it was done. */
  const kinds: readonly (readonly [string, (here: Awaited<ReturnType<typeof openHere>>) => Promise<() => Promise<boolean> | boolean>])[] = [
    [
      'makes runs of ticks',
      async ({ store }) => {
        await deploy(store, 'hourly', now() - 1_000);
        return async () => (await runsOf(store, 'hourly')).length > 0;
      },
    ],
    [
      'lets go runs of ticks once the earlier ones have ended',
      async ({ store }) => {
        await deploy(store, 'sync', now() - hourMs, { overlap: 'buffer-all', catchup: 'all', catchupWindowMs: 2 * hourMs });
        await claimTicks(store, 1, 1);
        const [first] = await runsOf(store, 'sync');
        const claim = await takeRun(store, first?.id ?? '');
        await claimTicks(store);
        const [, held] = await runsOf(store, 'sync');
        await endRun(store, claim);
        return async () => (await store.transitions.ofRun(held?.id ?? '')).at(-1)?.message === 'The runs before it have ended.';
      },
    ],
    [
      'makes the next run of a backfill once the one before has ended',
      async ({ client, store }) => {
        await client.deployments.deploy([{ flow: Plain, name: 'daily', schedules: [{ slug: 'nightly', cron: '0 0 * * *' }] }]);
        await client.backfills.start({ deployment: 'daily', fromAt: Date.UTC(2025, 0, 1), untilAt: Date.UTC(2025, 0, 3) });
        const [first] = await runsOf(store, 'daily');
        await endRun(store, await takeRun(store, first?.id ?? ''), 'COMPLETED', now());
        return async () => (await runsOf(store, 'daily')).length === 2;
      },
    ],
    [
      'fires triggers',
      async ({ store }) => {
        await putTriggered(store, 'load', 'event:a');
        await emit(store, 'a');
        return async () => (await runsOf(store, 'load')).length > 0;
      },
    ],
    [
      'fires alerts and sends them',
      async ({ store }) => {
        const receiver = await openReceiver();
        onTestFinished(() => receiver.close());
        await putRule(store, 'failures', { on: 'failed', send: { webhook: receiver.url } });
        await endRun(store, await startRun(store, { flow: 'plain' }), 'FAILED', now());
        return () => receiver.taken.length > 0;
      },
    ],
    [
      'marks runs Late that no worker takes',
      async ({ store }) => {
        const id = await insert(store, { dueAt: now() - 20_000 });
        return async () => (await stateName(store, id)) === 'Late';
      },
    ],
    [
      'gives runs of lost processes to others',
      async ({ store }) => {
        const id = await insert(store);
        await store.fleet.claimMany([id], ownerNamed('lost'), 0);
        return async () => (await stateName(store, id)) === 'Resuming';
      },
    ],
    [
      'puts lost tickets again',
      async ({ store, client }) => {
        await insert(store, { queue: 'lost' });
        const broker = await client.broker();
        return async () => (await broker.stats('lost')).waiting > 0;
      },
    ],
    [
      'gives free slots on',
      async ({ store, client }) => {
        await declareLimit(store, {}, 'limited');
        const run = { flow: 'limited', concurrencyKey: 'flow:limited' };
        const [holder, waiter] = [await insert(store, run), await insert(store, { ...run, queue: 'second' })];
        const claimed = await store.fleet.claimMany([holder, waiter], ownerNamed('worker'), 60_000);
        expect([[...claimed.keys()], await stateName(store, waiter)]).toEqual([[holder], 'AwaitingSlot']);
        await endRun(store, { runId: holder, epoch: 1 });
        const broker = await client.broker();
        return async () => (await broker.stats('second')).waiting > 0;
      },
    ],
    [
      'ends runs that did not begin in time',
      async ({ store }) => {
        const id = await insert(store, {}, now() - 1_000);
        return async () => (await stateName(store, id)) === 'Expired';
      },
    ],
    [
      'deletes what is old',
      async ({ store }) => {
        const claim = await startRun(store);
        await endRun(store, claim);
        return async () => (await store.runs.get(claim.runId)) === null;
      },
    ],
    [
      'sums up ended runs',
      async ({ store, url }) => {
        const at = now() - 3 * hourMs;
        await endRun(store, await startRun(store, { flow: 'plain', createdAt: at }), 'COMPLETED', at);
        return async () => (await rowsIn(url, 'run_figures')) > 0;
      },
    ],
    [
      'reports its own disk',
      async ({ store }) => {
        await putRule(store, 'full', { on: { diskBelow: '100%' }, send: { webhook: 'http://127.0.0.1:9/' } });
        return async () => (await store.alerts.list({ rule: 'full' })).items.length > 0;
      },
    ],
  ];

  test.each(kinds)('%s', { timeout: 60_000 }, async (_, prepare) => {
    const here = await openHere();
    const isDone = await prepare(here);
    // So that a ticket soon counts as lost.
    await start(here.folder, { BATUTA_LEASE: '2s', BATUTA_HEARTBEAT: '500ms' });
    await until(isDone);
  });
});

test('a scheduler says what it is connected to, shows that it is alive, and takes the sign of life along when it stops', async () => {
  const here = await openHere();
  const file = join(here.folder, 'health');
  const scheduler = await start(here.folder, { BATUTA_HEALTH_FILE: file });
  expect(scheduler.greeting).toContain(`Scheduler on ${here.url}`);
  await until(async () => (await readHealth(file, systemClock)).ok);
  await scheduler.stop(10_000);
  expect(existsSync(file)).toBe(false);
});

test('however long a lease is, what a process that has ended held is looked for each second', { timeout: 60_000 }, async () => {
  const here = await openHere();
  const lose = async (): Promise<string> => {
    const id = await insert(here.store);
    await here.store.fleet.claimMany([id], goneOwner, 3_600_000);
    return id;
  };
  const first = await lose();
  await start(here.folder, { BATUTA_LEASE: '1h' });
  await until(async () => (await stateName(here.store, first)) === 'Resuming');
  const second = await lose();
  await until(async () => (await stateName(here.store, second)) === 'Resuming');
});

test('however short a lease is, a receiver is held for as long as mail may take', { timeout: 60_000 }, async () => {
  const here = await openHere();
  const server = createServer((socket) => void socket.on('error', () => undefined));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const connected = new Promise<void>((resolve) => {
    server.once('connection', (socket) => {
      onTestFinished(() => void socket.destroy());
      resolve();
    });
  });
  onTestFinished(() => void server.close());
  await putRule(here.store, 'failures', { on: 'failed', send: { webhook: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` } });
  const before = now();
  await endRun(here.store, await startRun(here.store, { flow: 'plain' }), 'FAILED', before);
  await start(here.folder, { BATUTA_LEASE: '2s', BATUTA_HEARTBEAT: '500ms' });
  await connected;
  expect(await rowsIn(here.url, `alert_receivers where lease_until >= ${before + 45_000}`)).toBe(1);
});

test('a reaction that runs a deployment with the parameters it has needs no file of its flow', { timeout: 60_000 }, async () => {
  const { client, store, folder } = await openHere();
  await client.deployments.deploy([{ flow: Plain, name: 'cleanup', params: { rows: 2 } }]);
  const database = new Database(join(folder, 'batuta.db'), { timeout: 30_000 });
  database.prepare(`update deployments set source = '/nowhere/flows.ts#Plain'`).run();
  database.close();
  await putRule(store, 'failures', { on: 'failed', send: [{ run: 'cleanup' }] });
  await endRun(store, await startRun(store, { flow: 'plain' }), 'FAILED', now());
  await start(folder);
  await until(async () => (await runsOf(store, 'cleanup')).length > 0);
  const [run] = await runsOf(store, 'cleanup');
  expect((await client.runs.inspect(run?.id ?? '')).params).toEqual({ rows: 2 });
});

describe('what a scheduler has opened, on postgres,', { timeout: 120_000 }, () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createDatabase();
  });
  afterEach(() => database.drop());

  async function listen(port = 0): Promise<Server> {
    const server = createServer();
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve, reject) => void server.once('error', reject).listen(port, '127.0.0.1', resolve));
    return server;
  }
  const portOf = (server: Server): number => (server.address() as AddressInfo).port;
  async function freePort(): Promise<number> {
    const server = await listen();
    const port = portOf(server);
    await new Promise((resolve) => void server.close(resolve));
    return port;
  }
  const startHere = (env: Readonly<Record<string, string>>) => start(ownFolder(), { BATUTA_DATABASE_URL: database.url, ...env });
  /** Resolves once nobody but the test is connected. */
  const disconnected = () =>
    until(async () => {
      const mine = `datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()`;
      const [row] = await database.query<{ n: string }>(`select count(*) as n from pg_stat_activity where ${mine}`);
      return row?.n === '0';
    });

  test('is closed when it stops: its metrics and its database', async () => {
    const port = await freePort();
    const scheduler = await startHere({ BATUTA_METRICS_PORT: String(port), BATUTA_BROKER_URL: database.url });
    await expect(listen(port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await scheduler.stop(10_000);
    await listen(port);
    await disconnected();
  });

  test('is closed when it cannot start: no broker', async () => {
    const [port, nobody] = [await freePort(), await freePort()];
    const started = startHere({ BATUTA_METRICS_PORT: String(port), BATUTA_REDIS_URL: `redis://127.0.0.1:${nobody}` });
    await expect(started).rejects.toMatchObject({ code: 'BROKER_UNAVAILABLE' });
    await listen(port);
    await disconnected();
  });

  test('is closed when it cannot start: no port for its metrics', async () => {
    const started = startHere({ BATUTA_METRICS_PORT: String(portOf(await listen())) });
    await expect(started).rejects.toMatchObject({ code: 'CONFIG_INVALID', details: { setting: 'metricsPort' } });
    await disconnected();
  });
});
