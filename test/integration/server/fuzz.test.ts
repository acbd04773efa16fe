/**
 * The API is asked by its own description, with values that are random, hostile, or nearly right. Nothing may make it fail, and what it
 * stores comes back as it was given. A failure prints the seed with which it can be had again: FUZZ_SEED=… vitest run ….
 */
import fc from 'fast-check';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, openApi } from '../../support/api.ts';
import { hostileBodies, hostileText, hostileValue } from '../../support/hostile.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres.ts';

type Schema = Readonly<Record<string, any>>; // oxlint-disable-line typescript/no-explicit-any -- JSON Schema, as it comes

interface Operation {
  readonly method: string;
  readonly url: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly body: Schema | null;
}

const seed = process.env['FUZZ_SEED'] === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(process.env['FUZZ_SEED']);
const asked = Number(process.env['FUZZ_RUNS'] ?? 25);

/** Values that a schema describes, mostly. */
function valuesOf(schema: Schema): fc.Arbitrary<unknown> {
  const either: readonly Schema[] | undefined = schema['anyOf'] ?? schema['oneOf'];
  if (either) return fc.oneof(...either.map(valuesOf));
  if (schema['enum']) return fc.constantFrom(...(schema['enum'] as unknown[]));
  if ('const' in schema) return fc.constant(schema['const']);
  switch (schema['type']) {
    case 'string':
      return fc.oneof({ weight: 2, arbitrary: hostileText }, { weight: 1, arbitrary: fc.string({ minLength: 1, maxLength: 20 }) });
    case 'integer':
    case 'number':
      return fc.integer({ min: Math.max(-1e6, Number(schema['minimum'] ?? -1e6)), max: Math.min(1e6, Number(schema['maximum'] ?? 1e6)) });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return fc.array(valuesOf(schema['items'] ?? {}), { maxLength: 4 });
    case 'object':
      return objectsOf(schema);
    default:
      return hostileValue;
  }
}

function objectsOf(schema: Schema): fc.Arbitrary<unknown> {
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, Schema>);
  const fields = Object.fromEntries(properties.map(([name, one]) => [name, withOdd(valuesOf(one))]));
  return fc
    .record(fields, { requiredKeys: ((schema['required'] ?? []) as string[]).filter((name) => name in fields) })
    .chain((made) =>
      fc.oneof({ weight: 9, arbitrary: fc.constant(made) }, { weight: 1, arbitrary: hostileText.map((name) => ({ ...made, [name]: 1 })) }),
    );
}

/** One time in eight something else. */
function withOdd(values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 7, arbitrary: values }, { weight: 1, arbitrary: hostileValue });
}

function operationsOf(document: Schema): Operation[] {
  return Object.entries(document['paths'] as Record<string, Record<string, Schema>>).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      url: path,
      parameters: operation['parameters'] ?? [],
      body: operation['requestBody']?.content?.['application/json']?.schema ?? null,
    })),
  );
}

/** A request: its address with query, and the text of its body. */
function requestsOf(
  { url, parameters, body }: Operation,
  known: readonly string[],
): fc.Arbitrary<{ readonly url: string; readonly body: string | null }> {
  const inPath = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
  const query = parameters.filter((parameter) => parameter.in === 'query');
  const places = fc.record(
    Object.fromEntries(
      inPath.map((name) => [name, fc.oneof({ weight: 2, arbitrary: fc.constantFrom(...known) }, { weight: 1, arbitrary: hostileText })]),
    ),
  );
  const asks = fc.array(
    fc.oneof(
      ...(query.length === 0
        ? []
        : [fc.constantFrom(...query).chain(({ name, schema }) => fc.tuple(fc.constant(name), withOdd(valuesOf(schema))))]),
      fc.tuple(hostileText, hostileText),
    ),
    { maxLength: 3 },
  );
  const bodies =
    body === null
      ? fc.constant(null)
      : fc.oneof(
          { weight: 6, arbitrary: valuesOf(body).map((made) => JSON.stringify(made)) },
          { weight: 1, arbitrary: fc.constantFrom(...hostileBodies) },
        );
  return fc.tuple(places, asks, bodies).map(([place, pairs, text]) => {
    const path = url.replace(/\{(\w+)\}/g, (_, name: string) => escape(String((place as Record<string, unknown>)[name] ?? 'x')));
    const asking = pairs.map(([name, value]) => `${escape(name)}=${escape(typeof value === 'string' ? value : JSON.stringify(value))}`);
    return { url: asking.length === 0 ? path : `${path}?${asking.join('&')}`, body: text };
  });
}

/** As in an address; what cannot be written so stays out. */
function escape(text: string): string {
  return encodeURIComponent(text.replace(/\p{Cs}/gu, '\ufffd'));
}

describe.each(['sqlite', 'postgres'] as const)('the API on %s', (dialect) => {
  let database: TestDatabase | null;
  let api: Api;
  let operations: readonly Operation[];
  let key: string;
  const known: string[] = ['any-flow', 'unknown', 'tag:db'];
  beforeAll(async () => {
    database = dialect === 'postgres' ? await createDatabase() : null;
    api = await openApi({ ...(database ? { databaseUrl: database.url } : {}), flows: resolve('test/fixtures/server/any-flow.ts') });
    key = await api.key('admin');
    operations = operationsOf((await api.get('/api/openapi.json', { key })).json);
    for (let count = 0; count < 3; count++)
      known.push((await api.post('/api/runs', { flow: 'any-flow', params: { count } }, { key })).json.id);
    await api.post('/api/deployments', { flow: 'any-flow', schedules: [{ cron: '0 9 * * *' }] }, { key });
  });
  afterAll(async () => {
    await api.close();
    await database?.drop();
  });

  test(`answers whatever it is asked (FUZZ_SEED=${seed})`, { timeout: 240_000 }, async () => {
    expect(operations.length).toBeGreaterThan(50);
    for (const operation of operations) {
      // Live events that begin do not end; here only what is refused of them is asked.
      const isStream = operation.url === '/api/events';
      const isOfRun = operation.url.endsWith('/{stream}/events');
      await fc.assert(
        fc.asyncProperty(requestsOf(operation, known), async ({ url, body }) => {
          const headers = { host: 'localhost', ...(body === null ? {} : { 'content-type': 'application/json' }) };
          const asking = isStream
            ? `${url}${url.includes('?') ? '&' : '?'}nonsense=1`
            : isOfRun
              ? url.replace(/\/runs\/[^/]+/, '/runs/unknown')
              : url;
          const answer = await api.ask(operation.method, asking, { key, headers, ...(body === null ? {} : { body }) });
          expect(answer.status, answer.text.slice(0, 500)).toBeLessThan(500);
          expect(answer.headers['x-content-type-options']).toBe('nosniff');
          expect(String(answer.headers['content-type'] ?? '')).not.toContain('html');
          if (answer.status < 400) return;
          expect(answer.json).toMatchObject({
            error: { code: expect.any(String), message: expect.any(String), details: expect.any(Object) },
          });
          expect(answer.text).not.toMatch(/node_modules|\\n {4}at |select .* from |insert into/i);
        }),
        { seed, numRuns: asked, endOnFailure: true, includeErrorInReport: true },
      );
      expect(({} as Record<string, unknown>)['polluted'], `${operation.method} ${operation.url}`).toBeUndefined();
    }
    expect((await api.get('/health/ready')).status).toBe(200);
    for (const url of [
      '/api/runs?limit=1000',
      '/api/overview',
      '/api/facets',
      '/api/deployments',
      '/api/keys',
      '/api/audit',
      '/api/flows',
      '/api/limits',
      '/api/queues',
    ])
      expect((await api.get(url, { key })).status, url).toBe(200);
  });

  test('stores texts of people as they are given, and gives them back as data only', async () => {
    const template = ['$', '{7*7}'].join('');
    const texts = [
      '<script>alert(1)</script>',
      '"><img src=x onerror=alert(1)>',
      "'; drop table runs; --",
      '\u{1f9ea} \u202ertl',
      template,
      '__proto__',
    ];
    for (const text of texts) {
      const made = await api.post(
        '/api/runs',
        {
          flow: 'any-flow',
          name: text,
          tags: [text],
          idempotencyKey: text,
          params: { [`x${text}`]: text, text },
        },
        { key },
      );
      expect(made, text).toMatchObject({ status: 201, json: { name: text, tags: [text] } });
      const one = await api.get(`/api/runs/${made.json.id}`, { key });
      expect(one.json.params.json).toEqual({ [`x${text}`]: text, text });
      expect(
        (await api.get(`/api/runs?tag=${encodeURIComponent(text)}&limit=1000`, { key })).json.items.map(({ id }: { id: string }) => id),
      ).toEqual([made.json.id]);
      const cancelled = await api.post(`/api/runs/${made.json.id}/cancel`, { message: text }, { key });
      expect(cancelled.json.state.message).toContain(text);
    }
    expect((await api.get('/api/runs', { key })).headers['content-type']).toBe('application/json; charset=utf-8');
  });

  test('refuses what is too large, too deep, of another kind, or unknown', async () => {
    const refused: readonly [unknown, number][] = [
      [{ flow: 'any-flow', params: { text: 'x'.repeat(1024 * 1024) } }, 413],
      [`{"flow":"any-flow","params":${'['.repeat(200)}${']'.repeat(200)}}`, 400],
      [{ flow: 'any-flow', surprise: 1 }, 400],
      [{ flow: 'any-flow', priority: 101 }, 400],
      [{ flow: 'any-flow', name: 'a\0b' }, 400],
      ['{"__proto__":{"polluted":true}}', 400],
      ['{"flow":', 400],
    ];
    for (const [body, status] of refused)
      expect(
        (await api.post('/api/runs', body, { key, headers: { 'content-type': 'application/json' } })).status,
        String(body).slice(0, 80),
      ).toBe(status);
    for (const query of [
      'surprise=1',
      'limit=0',
      'limit=1001',
      'limit=1e9',
      'state=nothing',
      'since=yesterday',
      'cursor=rubbish',
      'flow=a&flow=b',
    ])
      expect((await api.get(`/api/runs?${query}`, { key })).status, query).toBe(400);
    expect((await api.post('/api/runs', { flow: 'no-such-flow' }, { key })).json).toMatchObject({ error: { code: 'FLOW_NOT_FOUND' } });
  });
});
