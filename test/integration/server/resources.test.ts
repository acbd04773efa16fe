/** What the API tells of runs that have ended, of deployments and of the fleet, and what it changes of them. */
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ReportFlow } from '../../fixtures/server/report-flow.ts';
import { type Api, openApi } from '../../support/api.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres.ts';

describe.each(['sqlite', 'postgres'] as const)('over HTTP on %s', (dialect) => {
  let database: TestDatabase | null;
  let api: Api;
  beforeAll(async () => {
    database = dialect === 'postgres' ? await createDatabase() : null;
    api = await openApi({
      ...(database ? { databaseUrl: database.url } : {}),
      flows: resolve('test/fixtures/server'),
      env: { BATUTA_API_KEY: 's3cr3t' },
    });
  });
  afterAll(async () => {
    await api.close();
    await database?.drop();
  });

  /** A run that has ended, executed here. */
  async function ended(params: object): Promise<string> {
    const handle = await api.client.submit(ReportFlow, params);
    await handle.done();
    return handle.id;
  }

  test('a run that has ended is told with its values, tasks, history, lines and artifacts', async () => {
    const id = await ended({ since: new Date(0) });
    const { run, params, result, counts, flow, why } = (await api.get(`/api/runs/${id}`)).json;
    expect(run).toMatchObject({ id, state: { name: 'Completed' }, tags: ['report'], durationMs: expect.any(Number) });
    expect(params).toEqual({ json: { since: '1970-01-01T00:00:00.000Z' }, meta: expect.anything() });
    expect([result, why, flow.name]).toEqual([{ json: 'xxxxxxxxxx' }, null, 'report-flow']);
    expect(counts).toEqual(expect.arrayContaining([{ name: 'load', state: 'Completed', count: 1 }]));

    const first = (await api.get(`/api/runs/${id}/tasks?limit=1`)).json;
    expect(first).toMatchObject({ items: [{ name: 'load' }], next: expect.any(String) });
    expect(first.items[0]).not.toHaveProperty('result');
    const second = (await api.get(`/api/runs/${id}/tasks?limit=1&cursor=${first.next}`)).json;
    expect(second).toMatchObject({ items: [{ name: 'write' }], next: null });
    expect((await api.get(`/api/runs/${id}/tasks?state=failed`)).json.items).toEqual([]);
    const task = (await api.get(`/api/runs/${id}/tasks/${first.items[0].id}`)).json;
    expect(task).toMatchObject({ taskRun: { name: 'load' }, result: { json: 'xxxxxxxxxx' }, inputs: [] });
    expect((await api.get(`/api/runs/${id}/tasks/unknown`)).status).toBe(404);

    const all = (await api.get(`/api/runs/${id}/transitions`)).json.items;
    const alone = (await api.get(`/api/runs/${id}/transitions?task=none`)).json.items;
    expect(all.length).toBeGreaterThan(alone.length);
    expect(alone.at(-1)).toMatchObject({ name: 'Completed', taskRunId: null });
    const artifacts = (await api.get(`/api/runs/${id}/artifacts`)).json.items;
    expect(artifacts).toMatchObject([{ kind: 'markdown', name: 'notes', data: '# <script>alert(1)</script>' }]);
    expect((await api.get('/api/artifacts?kind=markdown&search=NOTES')).json.items[0]).toMatchObject({
      name: 'notes',
      flow: 'report-flow',
    });
  });

  test('lines come page by page, from the end, by level, by text, and as a file', async () => {
    const id = await ended({});
    const ask = async (query: string) => (await api.get(`/api/runs/${id}/logs?${query}`)).json;
    const first = await ask('limit=2');
    expect(first.items.map(({ message }: { message: string }) => message)).toEqual(['line 1', 'line 2']);
    expect((await ask(`after=${first.next}&limit=1`)).items).toMatchObject([{ message: 'line 3', fields: { line: 3 } }]);
    expect((await ask('tail=1')).items).toMatchObject([{ message: '<b>bold</b>', level: 40 }]);
    expect((await ask('level=40')).items).toHaveLength(1);
    expect((await ask('level=Warn')).items).toHaveLength(1);
    expect((await ask('level=loud')).error.message).toContain('must be one of trace, debug, info, warn');
    expect((await ask('search=LINE%204')).items).toMatchObject([{ message: 'line 4' }]);
    expect((await ask(`before=${first.next}`)).items).toHaveLength(1);
    const file = await api.get(`/api/runs/${id}/logs/download`);
    expect(file.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'content-disposition': `attachment; filename="${id}.log"`,
    });
    expect(file.text.trim().split('\n')).toHaveLength(6);
    expect(file.text).toMatch(/^\d{4}-.*Z INFO {2}load line 1 \{.*"line":1\}\n/);
  });

  test('each address says in one sentence what it is for, and which role it needs', async () => {
    const { openapi, paths } = (await api.get('/api/openapi.json')).json as {
      readonly openapi: string;
      readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly summary?: string; readonly description?: string }>>>>;
    };
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { summary, description }]) => ({ name: `${method} ${path}`, summary, description })),
    );
    expect(openapi).toBe('3.1.0');
    expect(operations.filter(({ summary }) => !/^[A-Z].*[^.]$/.test(summary ?? '')).map(({ name }) => name)).toEqual([]);
    expect(operations.find(({ name }) => name === 'post /api/runs')).toMatchObject({
      summary: 'Hands a run to the workers',
      description: 'Hands a run to the workers. Role: operator.',
    });
  });

  test('a value over 1 MiB is told of, and is had alone as a file', async () => {
    const id = await ended({ chars: 1_200_000 });
    const { result } = (await api.get(`/api/runs/${id}`)).json;
    expect(result).toEqual({ cut: { bytes: 1_200_011, download: `/api/runs/${id}/result` } });
    const file = await api.get(result.cut.download);
    expect([file.headers['content-disposition'], file.json.json.length]).toEqual([`attachment; filename="${id}-result.json"`, 1_200_000]);
    const [task] = (await api.get(`/api/runs/${id}/tasks?name=load`)).json.items;
    const { cut } = (await api.get(`/api/runs/${id}/tasks/${task.id}`)).json.result;
    expect((await api.get(cut.download)).json.json).toHaveLength(1_200_000);
    expect((await api.get(`/api/runs/${id}/params`)).json).toEqual({ json: { chars: 1_200_000 } });
  });

  test('a run that failed is opened again for workers, from a task on where that is asked', async () => {
    const id = await ended({ fails: true });
    expect((await api.get(`/api/runs/${id}`)).json).toMatchObject({
      run: { state: { name: 'Failed' }, error: { message: expect.any(String) } },
      result: null,
    });
    expect((await api.get(`/api/runs/${id}/result`)).status).toBe(410);
    expect((await api.post(`/api/runs/${id}/retry`, { from: 'nothing' })).status).toBe(400);
    expect((await api.post(`/api/runs/${id}/retry`, { from: 'load' })).json).toMatchObject({ attempt: 2, state: { type: 'SCHEDULED' } });
    expect((await api.post(`/api/runs/${id}/retry`)).status).toBe(409);
    expect((await api.get(`/api/runs/${id}`)).json.why).toMatchObject({ message: expect.any(String) });
    expect((await api.post(`/api/runs/${id}/signal`, { name: 'go', data: { json: 1, meta: undefined } })).json).toEqual({ number: 1 });
  });

  test('many runs are submitted, counted, cancelled and deleted at once', async () => {
    const made = await api.post('/api/runs/many', {
      flow: 'any-flow',
      runs: [{ tags: ['bulk'] }, { tags: ['bulk'] }, { tags: ['bulk'], priority: 5 }],
    });
    expect([made.status, made.json.ids]).toEqual([201, [expect.any(String), expect.any(String), expect.any(String)]]);
    expect((await api.post('/api/runs/cancel', { filter: { tag: 'bulk' }, dryRun: true })).json).toEqual({
      matched: 3,
      changed: 3,
      refused: [],
    });
    expect((await api.post('/api/runs/cancel', { ids: made.json.ids.slice(0, 2) })).json).toMatchObject({ changed: 2 });
    expect((await api.post('/api/runs/cancel', { filter: { tag: 'bulk' } })).json).toMatchObject({ changed: 1 });
    expect((await api.post('/api/runs/retry', { ids: made.json.ids.slice(0, 1) })).json).toMatchObject({ changed: 1 });
    const deleted = (await api.post('/api/runs/delete', { ids: [...made.json.ids, 'unknown-run'] })).json;
    expect(deleted).toMatchObject({ changed: 2, refused: expect.arrayContaining([expect.objectContaining({ id: made.json.ids[0] })]) });
    for (const body of [{}, { ids: [] }, { ids: ['a'], filter: {} }, { filter: { surprise: 1 } }])
      expect((await api.post('/api/runs/delete', body)).status, JSON.stringify(body)).toBe(400);
    const buckets = (await api.get('/api/runs/histogram?tag=bulk&buckets=10')).json.items;
    expect(
      buckets.reduce(
        (sum: number, { counts }: { counts: Record<string, number> }) => sum + Object.values(counts).reduce((a, b) => a + b, 0),
        0,
      ),
    ).toBe(1);
  });

  test('a deployment is deployed, run, paused, resumed, filled back and deleted', async () => {
    const spec = {
      name: 'nightly',
      flow: 'any-flow',
      params: { city: 'Lima' },
      schedules: [{ cron: '0 9 * * *', timezone: 'Europe/Lisbon' }],
    };
    expect((await api.post('/api/deployments', { ...spec, dryRun: true })).json).toMatchObject({ outcome: 'created' });
    expect((await api.get('/api/deployments/nightly')).status).toBe(404);
    expect((await api.post('/api/deployments', spec)).json).toMatchObject({
      outcome: 'created',
      deployment: { name: 'nightly', version: 1 },
    });
    expect((await api.post('/api/deployments', spec)).json).toMatchObject({ outcome: 'unchanged' });
    const many = await api.post('/api/deployments/deploy', {
      specs: [
        { ...spec, queue: 'slow' },
        { name: 'other', flow: 'any-flow' },
      ],
    });
    expect(many.json.items.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['changed', 'created']);
    expect((await api.post('/api/deployments', { ...spec, schedules: [{ cron: 'never' }] })).json).toMatchObject({
      error: { code: 'SCHEDULE_INVALID' },
    });
    const list = (await api.get('/api/deployments?search=NIGHT&paused=false')).json;
    expect(list.items).toMatchObject([{ name: 'nightly', queue: 'slow', schedules: [{ slug: 'cron' }] }]);
    expect((await api.get('/api/deployments/nightly/versions')).json.items).toHaveLength(2);
    expect((await api.get('/api/ticks?deployment=nightly&limit=3')).json.items).toHaveLength(3);
    const run = await api.post('/api/deployments/nightly/run', { params: { city: 'Oslo' } });
    expect([run.status, run.json]).toEqual([201, expect.objectContaining({ deployment: 'nightly', queue: 'slow' })]);
    expect((await api.get(`/api/runs/${run.json.id}`)).json.params.json).toEqual({ city: 'Oslo' });
    expect((await api.post('/api/deployments/nightly/pause', { schedule: 'cron' })).json.schedules[0].pausedAt).toMatch(/Z$/);
    expect((await api.post('/api/deployments/nightly/pause')).json.pausedAt).toMatch(/Z$/);
    expect((await api.get('/api/ticks?deployment=nightly')).json.items).toEqual([]);
    expect((await api.post('/api/deployments/nightly/resume')).json.pausedAt).toBeNull();
    const days = { deployment: 'nightly', fromAt: '2026-01-01T00:00:00Z', untilAt: '2026-01-04T00:00:00Z' };
    expect((await api.post('/api/backfills/preview', days)).json).toMatchObject({
      total: 3,
      first: [expect.stringContaining('2026-01-01T09:00'), expect.anything(), expect.anything()],
    });
    const backfill = await api.post('/api/backfills', { ...days, order: 'newest' });
    expect([backfill.status, backfill.json]).toEqual([201, expect.objectContaining({ total: 3, order: 'newest' })]);
    expect((await api.get('/api/backfills?deployment=nightly')).json.items).toMatchObject([{ id: backfill.json.id }]);
    expect((await api.post(`/api/backfills/${backfill.json.id}/cancel`)).json.cancelRequestedAt).toMatch(/Z$/);
    expect((await api.ask('DELETE', '/api/deployments/nightly')).status).toBe(204);
    expect((await api.ask('DELETE', '/api/deployments/nightly')).status).toBe(404);
    const preview = await api.post('/api/schedules/preview', {
      cron: '30 1 * * *',
      timezone: 'Europe/Lisbon',
      from: '2026-03-28T00:00:00Z',
      count: 2,
    });
    expect(preview.json).toMatchObject({
      words: expect.any(String),
      ticks: ['2026-03-28T01:30:00.000Z', expect.any(String)],
      warnings: [expect.any(String)],
    });
  });

  test('figures, queues, limits, flows and settings are told, and no secret is', async () => {
    await ended({});
    const overview = (await api.get('/api/overview')).json;
    expect(overview).toMatchObject({ completed: expect.any(Number), histogram: expect.any(Array), workers: [] });
    const flows = (await api.get('/api/flows')).json.items;
    expect(flows.find(({ name }: { name: string }) => name === 'report-flow')).toMatchObject({ figures: { runs: expect.any(Number) } });
    expect((await api.get('/api/flows/report-flow')).json).toMatchObject({
      flow: { name: 'report-flow' },
      figures: { tasks: expect.any(Array) },
    });
    expect((await api.get('/api/flows/report-flow/days')).json.items).toHaveLength(1);
    expect((await api.get('/api/flows/report')).json).toMatchObject({ error: { code: 'FLOW_NOT_FOUND' } });
    expect((await api.get('/api/facets')).json.tags).toContain('report');
    expect((await api.get('/api/queues')).json.items).toMatchObject([{ name: 'default' }, { name: 'slow' }]);
    expect((await api.ask('PUT', '/api/limits/tag:db', { body: { slots: 2 } })).json).toMatchObject({ name: 'tag:db', slots: 2 });
    expect((await api.get('/api/limits')).json.items).toMatchObject([{ name: 'tag:db', held: 0 }]);
    expect((await api.ask('DELETE', '/api/limits/tag:db')).status).toBe(204);
    expect((await api.ask('DELETE', '/api/limits/tag:db')).status).toBe(404);
    const settings = await api.get('/api/settings');
    expect(settings.text).not.toContain('s3cr3t');
    if (database) expect(settings.text).toContain('postgres://batuta:********@');
    expect(settings.json.items.find(({ env }: { env: string }) => env === 'BATUTA_PORT')).toMatchObject({
      value: '4200',
      source: 'default',
    });
  });

  test('a flow whose file the server does not have is told apart from one that nobody knows', async () => {
    const { store } = api.client.engine.services;
    const known = await store.flows.get('report-flow');
    if (!known) throw new Error('The flow has not run.');
    await store.flows.put({ ...known, name: 'elsewhere' });
    expect((await api.post('/api/runs', { flow: 'elsewhere' })).json).toMatchObject({
      error: { code: 'FLOW_NOT_FOUND', message: expect.stringContaining('BATUTA_FLOWS') },
    });
    expect((await api.post('/api/runs', { flow: 'nowhere' })).json.error.message).not.toContain('known from earlier');
    // A path is no name: the server loads no file because somebody asks for it.
    for (const flow of [
      '/etc/passwd',
      '../../etc/passwd',
      'test/fixtures/server/any-flow.ts',
      './flows',
      'flows/hello.ts:Hello',
      'hello.ts',
      '.',
    ]) {
      const refused = await api.post('/api/runs', { flow });
      expect(refused.json, flow).toMatchObject({ error: { code: 'FLOW_NOT_FOUND' } });
      expect((await api.post('/api/deployments', { flow })).json, flow).toMatchObject({ error: { code: 'FLOW_NOT_FOUND' } });
      expect(refused.text, flow).not.toContain('root:');
    }
  });
});
