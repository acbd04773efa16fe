/** Where health is told, and to whom. */
import { join } from 'node:path';
import { startWorker } from 'batuta/process';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../../src/base/config.ts';
import { openHealth } from '../../../src/client/open-health.ts';
import { type Api, openApi } from '../../support/api.ts';
import { makeFlow } from '../../support/make-flow.ts';
import { ownFolder } from '../../support/own-engine.ts';

describe('health of a server', () => {
  let api: Api;
  beforeAll(async () => {
    api = await openApi({ loopback: false });
  });
  afterAll(() => api.close());

  test('tells everyone how it is and which checks there are, and what they found to who may look', async () => {
    const { status, json } = await api.get('/health');
    expect([status, json]).toEqual([200, { status: 'healthy', checks: [{ name: 'database', status: 'healthy' }] }]);
    expect((await api.get('/api/health')).status).toBe(401);
    const told = (await api.get('/api/health', { key: await api.key('viewer') })).json;
    expect(told.checks).toMatchObject([{ name: 'database', found: expect.stringContaining('schema version'), mend: null }]);
    expect(told.history).toMatchObject([{ status: 'healthy', check: null }]);
  });
});

test('a server with an unhealthy check answers 503, and lives', async () => {
  const api = await openApi();
  onTestFinished(() => api.close());
  await api.client.engine.services.store.close();
  expect([(await api.get('/health')).status, (await api.get('/health/ready')).status, (await api.get('/health/live')).status]).toEqual([
    503, 503, 200,
  ]);
});

test('checks of a project stand beside those of Batuta; one that is no function is refused', async () => {
  const folder = ownFolder();
  const env = { BATUTA_DATABASE_URL: `sqlite:${join(folder, 'batuta.db')}`, BATUTA_RESULTS: join(folder, 'results') };
  const given = { warehouse: async () => ({ status: 'degraded' as const, found: 'replica is behind', mend: 'Wait.' }) };
  const { config } = await loadConfig({ env, loadFile: async () => ({ name: 'batuta.config.ts', config: { health: given } }) });
  const api = await openApi({ env });
  onTestFinished(() => api.close());
  const { status, checks } = await openHealth(api.client, config).read();
  expect([status, checks.map(({ name }) => name)]).toEqual([
    'degraded',
    ['database', 'schedules', 'queues', 'versions', 'alerts', 'disk', 'clock', 'warehouse'],
  ]);
  expect(checks.at(-1)).toMatchObject({ found: 'replica is behind', mend: 'Wait.' });
  const wrong = loadConfig({ env, loadFile: async () => ({ name: 'batuta.config.ts', config: { health: { warehouse: 1 } } as never }) });
  await expect(wrong).rejects.toMatchObject({ code: 'CONFIG_INVALID', details: { setting: 'health' } });
  // Two checks of one name could not be told apart, and doctor leaves out those that it makes itself.
  for (const { name } of [...checks.slice(0, -1), { name: 'redis' }, { name: 'broker' }]) {
    const taken = loadConfig({ env, loadFile: async () => ({ name: 'batuta.config.ts', config: { health: { [name]: () => true } } }) });
    await expect(taken, name).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining(`own-${name}`) });
  }
});

test('the port for metrics of a worker tells health too, by the checks of the project it was started with', async () => {
  const folder = ownFolder();
  const settings = {
    databaseUrl: `sqlite:${join(folder, 'batuta.db')}`,
    results: join(folder, 'results'),
    logFormat: 'json' as const,
    metricsPort: 0,
  };
  let log = '';
  const worker = await startWorker({
    ...{ settings, flows: [makeFlow({ work: {} })], write: (line: string) => void (log += line) },
    config: { health: { warehouse: () => false } },
  });
  onTestFinished(() => worker.stop({ graceMs: 0 }));
  const answer = await fetch(`${/Metrics at (\S+)\/metrics/.exec(log)?.[1] ?? ''}/health`);
  expect([answer.status, await answer.json()]).toEqual([
    503,
    {
      status: 'unhealthy',
      checks: [
        { name: 'database', status: 'healthy' },
        { name: 'schedules', status: 'healthy' },
        { name: 'queues', status: 'healthy' },
        { name: 'versions', status: 'healthy' },
        { name: 'alerts', status: 'healthy' },
        { name: 'disk', status: expect.any(String) },
        { name: 'clock', status: 'healthy' },
        { name: 'warehouse', status: 'unhealthy' },
      ],
    },
  ]);
});
