/** That the description of the API says what is so. `npm run check:api` asks further, with a tool of its own. */
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ReportFlow } from '../../fixtures/server/report-flow.ts';
import { type Api, openApi } from '../../support/api.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- a JSON schema, which is walked as it comes
type Schema = Record<string, any>;

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly says: Schema;
}

describe('the description of the API', () => {
  let api: Api;
  let document: Schema;
  let operations: readonly Operation[];
  beforeAll(async () => {
    api = await openApi({ flows: resolve('test/fixtures/server') });
    document = (await api.get('/api/openapi.json')).json;
    operations = Object.entries(document['paths'] as Schema).flatMap(([path, methods]) =>
      Object.entries(methods as Schema).map(([method, says]) => ({ method: method.toUpperCase(), path, says: says as Schema })),
    );
    await api.post('/api/deployments', { flow: 'any-flow', schedules: [{ cron: '0 9 * * *' }] });
    await (await api.client.submit(ReportFlow, {})).done();
  });
  afterAll(async () => {
    await api.close();
  });

  const find = (method: string, path: string): Schema => {
    const found = operations.find((operation) => operation.method === method && operation.path === path);
    if (found === undefined) throw new Error(`${method} ${path} is not described`);
    return found.says;
  };
  const parameter = (path: string, name: string): Schema =>
    find('GET', path)['parameters'].find((one: Schema) => one['name'] === name).schema;

  test('holds only patterns that tools without classes of Unicode read, and they mean the same', async () => {
    const patterns = new Set<string>();
    JSON.stringify(document, (key, value: unknown) => {
      if (key === 'pattern' && typeof value === 'string') patterns.add(value);
      return value;
    });
    expect(patterns.size).toBeGreaterThan(3);
    expect([...patterns].filter((pattern) => /\\[pPkc0]|\(\?<|[^\u0020-\u007e]/.test(pattern))).toEqual([]);
    const name = new RegExp(parameter('/api/runs', 'search')['pattern']);
    for (const [text, isTaken] of [
      ['Zürich \u{1f9ea}', true],
      ['a\0b', false],
      ['a\u009fb', false],
      ['a\nb', false],
    ] as const) {
      expect(name.test(text), JSON.stringify(text)).toBe(isTaken);
      expect((await api.get(`/api/runs?search=${encodeURIComponent(text)}`)).status).toBe(isTaken ? 200 : 400);
    }
    expect(
      (await api.post('/api/runs', `{"flow":"any-flow","name":"a\\ud800b"}`, { headers: { 'content-type': 'application/json' } })).status,
    ).toBe(400);
  });

  test('calls a body required exactly where a request without one is refused', async () => {
    const optional: string[] = [];
    for (const { method, path, says } of operations) {
      if (says['requestBody'] === undefined || path === '/api/login') continue;
      const { status, json } = await api.ask(method, path.replace(/\{\w+\}/g, 'unknown'));
      expect(status === 400 && json.error.code === 'REQUEST_INVALID', `${method} ${path}`).toBe(says['requestBody'].required);
      if (says['requestBody'].required === false) optional.push(`${method} ${path}`);
    }
    expect(optional.toSorted()).toEqual([
      'POST /api/deployments/{name}/pause',
      'POST /api/deployments/{name}/resume',
      'POST /api/deployments/{name}/run',
      'POST /api/runs/{id}/cancel',
      'POST /api/runs/{id}/retry',
    ]);
  });

  test('names all methods of an address: any other is answered by 405 with those in Allow, whatever its body', async () => {
    const methodsOf = (path: string): string[] => operations.filter((operation) => operation.path === path).map(({ method }) => method);
    for (const path of new Set(operations.map((operation) => operation.path))) {
      const told = methodsOf(path);
      // A word such as `cancel` in place of an id may be asked for as one.
      const asId = path.includes('{') ? [] : operations.filter((other) => patternOf(other.path).test(path)).map(({ method }) => method);
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE']) {
        if (told.includes(method) || asId.includes(method)) continue;
        const body = ['POST', 'PUT', 'PATCH'].includes(method) ? { body: '{"a":', headers: { 'content-type': 'text/x' } } : {};
        const answer = await api.ask(method, path.replace(/\{\w+\}/g, 'some'), body);
        expect(answer.status, `${method} ${path}`).toBe(405);
        expect(answer.json).toMatchObject({ error: { code: 'METHOD_NOT_ALLOWED' } });
        const allowed = String(answer.headers['allow']).split(', ');
        expect(allowed.filter((one) => one !== 'HEAD').toSorted(), `${method} ${path}`).toEqual(told.toSorted());
      }
    }
    expect((await api.ask('PATCH', '/api/nothing')).status).toBe(404);
    expect((await api.get('/api/nothing')).status).toBe(404);
  });

  test('takes names as long as it says, and refuses longer ones in words', async () => {
    const { maxLength } = find('GET', '/api/deployments/{name}')['parameters'][0].schema;
    const ask = (text: string) => api.get(`/api/deployments/${encodeURIComponent(text)}`);
    expect((await ask('\u{1f9ea}'.repeat(maxLength))).json).toMatchObject({ error: { code: 'DEPLOYMENT_NOT_FOUND' } });
    expect(await ask('x'.repeat(maxLength + 1))).toMatchObject({ status: 400, json: { error: { code: 'REQUEST_INVALID' } } });
  });

  test('lists the words that a field takes', async () => {
    const state = parameter('/api/runs', 'state');
    const words: string[] = state['anyOf'][1].enum;
    expect(words).toEqual(expect.arrayContaining(['FAILED', 'TimedOut']));
    for (const word of words) expect((await api.get(`/api/runs?state=${word}`)).status, word).toBe(200);
    const [{ enum: levels }, { pattern }] = parameter('/api/runs/{id}/logs', 'level')['anyOf'];
    const { id } = (await api.get('/api/runs')).json.items[0];
    for (const level of [...levels, '0', '40', '100'])
      expect((await api.get(`/api/runs/${id}/logs?level=${level}`)).status, level).toBe(200);
    for (const level of ['101', '007']) {
      expect(new RegExp(pattern).test(level)).toBe(false);
      expect((await api.get(`/api/runs/${id}/logs?level=${level}`)).status, level).toBe(400);
    }
    const { properties } = find('GET', '/api/deployments/{name}')['responses']['200'].content['application/json'].schema;
    for (const field of ['catchup', 'overlap', 'origin']) expect(properties[field].enum, field).toEqual(expect.any(Array));
  });

  test('says which fields only go one at a time', async () => {
    const body = (path: string): Schema => find('POST', path)['requestBody'].content['application/json'].schema;
    for (const path of ['/api/runs/cancel', '/api/runs/retry', '/api/runs/delete'])
      expect(body(path)['oneOf']).toEqual([{ required: ['ids'] }, { required: ['filter'] }]);
    const rules = [{ required: ['cron'] }, { required: ['interval'] }, { required: ['rrule'] }];
    expect(body('/api/schedules/preview')['oneOf']).toEqual(rules);
    expect(body('/api/deployments')['properties'].schedules.items.oneOf).toEqual(rules);
    for (const wrong of [{}, { cron: '0 9 * * *', interval: '1h' }])
      expect((await api.post('/api/schedules/preview', wrong)).json.error.code).toBe('SCHEDULE_INVALID');
  });

  test('tells the type of each answer, files and streams included, and that the database may not answer', async () => {
    for (const { method, path, says } of operations) {
      const good = Object.keys(says['responses']).filter((status) => status.startsWith('2'));
      expect(good, `${method} ${path}`).toHaveLength(1);
      expect(Object.keys(says['responses'])).toEqual(expect.arrayContaining(['4XX', '503']));
    }
    const typesOf = (path: string): string[] => Object.keys(find('GET', path)['responses']['200'].content);
    expect(typesOf('/api/events')).toEqual(['text/event-stream']);
    const { id } = (await api.get('/api/runs')).json.items[0];
    for (const path of ['/api/runs/{id}/result', '/api/runs/{id}/params', '/api/runs/{id}/logs/download']) {
      const { status, headers } = await api.get(path.replace('{id}', id));
      expect([status, String(headers['content-type']).split(';')], path).toEqual([200, [...typesOf(path), ' charset=utf-8']]);
    }
  });

  test('has the rule for names of keys', async () => {
    const { pattern, maxLength } = find('POST', '/api/keys')['requestBody'].content['application/json'].schema.properties.name;
    expect([new RegExp(pattern).test('ci_1.a-b'), new RegExp(pattern).test('a b'), maxLength]).toEqual([true, false, 100]);
    expect((await api.post('/api/keys', { name: 'a b', role: 'viewer' })).status).toBe(400);
  });
});

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`);
}
