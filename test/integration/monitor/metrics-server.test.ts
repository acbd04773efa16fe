/** Who gets metrics, where, and in which form. */
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { startScheduler, startWorker } from 'batuta/process';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openLocalClient } from '../../../src/client/open-local-client.ts';
import { catalog } from '../../../src/monitor/metrics/catalog.ts';
import { type Api, openApi } from '../../support/api.ts';
import { readTable } from '../../support/documents.ts';
import { makeFlow } from '../../support/make-flow.ts';
import { lintMetrics, parseMetrics, valueOf } from '../../support/metrics.ts';
import { ownFolder } from '../../support/own-engine.ts';

describe('/metrics of a server', () => {
  let api: Api;
  beforeAll(async () => {
    api = await openApi({ loopback: false });
    await api.client.enqueueMany('hello', [{ params: {} }, { params: {} }, { params: {}, queue: 'slow', startAt: Date.now() + 60_000 }]);
  });
  afterAll(() => api.close());

  test('wants a key that may see payloads, for names of limits may be made of them', async () => {
    expect((await api.get('/metrics')).status).toBe(401);
    expect((await api.get('/metrics', { key: await api.key('observer') })).status).toBe(403);
    expect((await api.get('/metrics', { key: await api.key('viewer') })).status).toBe(200);
  });

  test('gives the figures of the fleet and its own in the text format, with names by the conventions', async () => {
    const { text, headers } = await api.get('/metrics', { key: await api.key('viewer') });
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(lintMetrics(text)).toEqual([]);
    expect(valueOf(text, 'batuta_live_connections')).toBe(0);
    expect(valueOf(text, 'batuta_runs_open', { state: 'Scheduled' })).toBe(3);
    expect([valueOf(text, 'batuta_queue_depth', { queue: 'default' }), valueOf(text, 'batuta_queue_delayed', { queue: 'slow' })]).toEqual([
      2, 1,
    ]);
    expect(valueOf(text, 'batuta_queue_workers', { queue: 'default' })).toBe(0);
    expect(parseMetrics(text).has('nodejs_eventloop_lag_seconds')).toBe(true);
    expect(parseMetrics(text).has('batuta_worker_places')).toBe(false);
  });
});

describe('the port for metrics', () => {
  const settingsIn = (folder: string) => ({
    databaseUrl: `sqlite:${join(folder, 'batuta.db')}`,
    results: join(folder, 'results'),
    logFormat: 'json' as const,
    metricsPort: 0,
  });
  const written = (): { readonly write: (line: string) => void; readonly url: () => string } => {
    let log = '';
    return { write: (line) => void (log += line), url: () => /Metrics at (\S+)\/metrics/.exec(log)?.[1] ?? '' };
  };

  test('of a worker and of a scheduler has what each of them does, and the worker what it has executed', async () => {
    const settings = settingsIn(ownFolder());
    const [workerLog, schedulerLog] = [written(), written()];
    const flow = makeFlow({ work: {} }, { name: 'served' });
    const worker = await startWorker({ settings, flows: [flow], write: workerLog.write, concurrency: 3 });
    onTestFinished(() => worker.stop({ graceMs: 0 }));
    const scheduler = await startScheduler({ settings, write: schedulerLog.write });
    onTestFinished(() => scheduler.stop());
    const client = await openLocalClient({ databaseUrl: settings.databaseUrl, results: settings.results });
    onTestFinished(() => client.close());
    await (await client.enqueue(flow, {})).done();
    const read = async ({ url }: { readonly url: () => string }): Promise<string> => await (await fetch(`${url()}/metrics`)).text();
    await expect.poll(async () => valueOf(await read(workerLog), 'batuta_runs_total', { flow: 'served', state: 'Completed' })).toBe(1);
    const [ofWorker, ofScheduler] = [await read(workerLog), await read(schedulerLog)];
    expect([lintMetrics(ofWorker), lintMetrics(ofScheduler)]).toEqual([[], []]);
    expect(valueOf(ofWorker, 'batuta_worker_places')).toBe(3);
    expect(parseMetrics(ofWorker).has('batuta_queue_depth')).toBe(false);
    await expect.poll(async () => valueOf(await read(schedulerLog), 'batuta_schedule_lag_seconds')).toBe(0);
    expect(valueOf(ofScheduler, 'batuta_queue_depth', { queue: 'default' })).toBe(0);
    expect((await fetch(`${workerLog.url()}/health/live`)).status).toBe(200);
    expect((await fetch(`${workerLog.url()}/else`)).status).toBe(404);
    expect((await fetch(`${workerLog.url()}/metrics`, { method: 'POST' })).status).toBe(405);
    expect(await statusWithHost(`${workerLog.url()}/metrics`, 'evil.example')).toBe(403);
  });

  test('that others reach wants a key', async () => {
    const settings = { ...settingsIn(ownFolder()), metricsHost: '0.0.0.0' };
    const log = written();
    const scheduler = await startScheduler({ settings, write: log.write });
    onTestFinished(() => scheduler.stop());
    const client = await openLocalClient({ databaseUrl: settings.databaseUrl, results: settings.results });
    onTestFinished(() => client.close());
    const { key } = await client.keys.create({ name: 'prometheus', role: 'viewer' });
    const observer = await client.keys.create({ name: 'observer', role: 'observer' });
    const url = `${log.url().replace('0.0.0.0', '127.0.0.1')}/metrics`;
    const statusWith = async (shown?: string): Promise<number> =>
      (await fetch(url, shown === undefined ? {} : { headers: { authorization: `Bearer ${shown}` } })).status;
    expect([await statusWith(), await statusWith(`${key}x`), await statusWith(observer.key), await statusWith(key)]).toEqual([
      401, 401, 401, 200,
    ]);
  });

  test('that is taken keeps the process from starting, and says so', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => blocker.once('listening', resolve));
    onTestFinished(() => void blocker.close());
    const { port } = blocker.address() as AddressInfo;
    const settings = { ...settingsIn(ownFolder()), metricsPort: port };
    const started = startWorker({ settings, flows: [makeFlow({ work: {} })], write: () => undefined });
    await expect(started).rejects.toMatchObject({ code: 'CONFIG_INVALID', details: { setting: 'metricsPort' } });
  });
});

test('the reference lists every metric as it is, and nothing else', () => {
  const rows = readTable('docs/reference/metrics.md', 'metric');
  const known = Object.entries(catalog).map(([name, { type, from, labels, help }]) => [name, type, labels.join(', '), from, help]);
  expect(rows).toEqual(known);
});

/** `fetch` sends no Host of the caller's choice. */
async function statusWithHost(url: string, host: string): Promise<number> {
  return await new Promise((resolve, reject) => {
    request(url, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .once('error', reject)
      .end();
  });
}
