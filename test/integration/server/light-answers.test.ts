/** What may be large is sent in pages, or left out by who does not want it. */
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startRun } from '../../contract/store/rows.ts';
import { type Api, openApi } from '../../support/api.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres.ts';
import { openHttpClient } from '../../../src/client/http/open.ts';

describe.each(['sqlite', 'postgres'] as const)('over HTTP on %s', (dialect) => {
  let database: TestDatabase | null;
  let api: Api;
  beforeAll(async () => {
    database = dialect === 'postgres' ? await createDatabase() : null;
    api = await openApi({ ...(database ? { databaseUrl: database.url } : {}), flows: resolve('test/fixtures/server') });
  });
  afterAll(async () => {
    await api.close();
    await database?.drop();
  });

  test('the versions of a deployment come in pages, newest first, each once', async () => {
    const versions = 120;
    for (let priority = -59; priority <= versions - 60; priority++)
      await api.client.deployments.deploy([{ name: 'often', flow: 'any-flow', priority }]);
    const seen: number[] = [];
    let cursor = '';
    do {
      const { items, next } = (await api.get(`/api/deployments/often/versions?limit=50${cursor}`)).json;
      expect(items.length).toBeLessThanOrEqual(50);
      seen.push(...items.map(({ version }: { version: number }) => version));
      cursor = next === null ? '' : `&cursor=${next}`;
    } while (cursor !== '');
    expect(seen).toEqual(Array.from({ length: versions }, (_, at) => versions - at));
    expect((await api.get('/api/deployments/often/versions')).json.items).toHaveLength(50);
    expect((await api.get('/api/deployments/often/versions?cursor=x')).status).toBe(400);
    expect((await api.get(`/api/deployments/often/versions?cursor=${Number.MAX_SAFE_INTEGER}&limit=1`)).json.items).toHaveLength(1);
    const http = openHttpClient({ apiUrl: await api.listen() });
    for (const page of [undefined, { limit: 70 }, { limit: 3, before: 9 }])
      expect(await http.deployments.versions('often', page)).toEqual(await api.client.deployments.versions('often', page));
    await http.close();
  });

  test('a run comes without its values and its flow, and flows without their graphs, where nobody wants them', async () => {
    const made = await api.post('/api/runs', { flow: 'any-flow', params: { text: 'x'.repeat(10_000) } });
    expect(made.status).toBe(201);
    const { id } = made.json;
    const whole = (await api.get(`/api/runs/${id}`)).json;
    const light = (await api.get(`/api/runs/${id}?values=false`)).json;
    const { params: _params, result: _result, flow: _flow, ...rest } = whole;
    expect(light).toEqual(rest);
    expect(whole).toHaveProperty('params.json.text');
    const flows = (await api.get('/api/flows?graph=false')).json.items;
    expect(flows).toEqual((await api.get('/api/flows')).json.items.map(({ graph: _graph, ...flow }: { graph: unknown }) => flow));
  });

  test('a word that is a type and a name stands for the type, in any case; TYPE/Name for the name alone', async () => {
    const { store } = api.client.engine.services;
    const flow = 'states';
    for (const name of ['Failed', 'TimedOut'] as const) {
      const claim = await startRun(store, { flow, name });
      await store.recorder.addRunPatch(claim, { state: { type: 'FAILED', name, message: null }, endedAt: 1 }, null);
    }
    const names = async (state: string) =>
      ((await api.get(`/api/runs?flow=${flow}&state=${state}`)).json.items as { name: string }[]).map(({ name }) => name).toSorted();
    for (const word of ['FAILED', 'Failed', 'failed']) expect(await names(word)).toEqual(['Failed', 'TimedOut']);
    for (const word of ['FAILED/Failed', 'failed/failed']) expect(await names(word)).toEqual(['Failed']);
    expect(await names('timedout')).toEqual(['TimedOut']);
    expect((await api.get('/api/runs?state=COMPLETED/Failed')).status).toBe(400);
    const histogram = (await api.get(`/api/runs/histogram?flow=${flow}&state=FAILED/Failed`)).json.items as {
      counts: { FAILED?: number };
    }[];
    expect(histogram.length).toBeGreaterThan(0);
  });
});
