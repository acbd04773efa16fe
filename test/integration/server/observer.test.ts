/**
 * That an observer sees states, times and graphs, and no payload anywhere. Payloads are planted in every place there is for one; then every route of the
 * description and each stream is asked, by an observer and by an admin: what the one must not find, the other must.
 */
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fastify from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openHttpClient } from '../../../src/client/http/open.ts';
import type { Role } from '../../../src/model/access.ts';
import { exportKinds } from '../../../src/client/export/export-client.ts';
import { access } from '../../../src/server/access.ts';
import { addObserver } from '../../../src/server/observer.ts';
import type { App } from '../../../src/server/parts.ts';
import { PlantedCode, PlantedItems, PlantedLimit } from '../../fixtures/planted/planted-flows.ts';
import { type Api, openApi } from '../../support/api.ts';
import { type OpenStream, openStream } from '../../support/events.ts';
import { until } from '../../support/room.ts';
import { observed, refused } from './observer-routes.ts';

/** Everything that is planted, by its place. */
const planted =
  `run-name emitted log-field log-line artifact-name artifact-data file-name file-data artifact-key record reason metric item item-name item-result retried cache-key failed-name error cause code
  details undo child-name child-result call-argument call-result signal tenant closing run-result holder param cancelled tag caller variable variable-about
  secret connection connection-field deployment-param schedule-param deployment-name deployment-run-name setting filter payload`
    .split(/\s+/)
    .map((place) => `plant3d-${place}`)
    .concat('limit-plant3d-holder');

interface Found {
  readonly route: string;
  readonly url: string;
  readonly status: number;
  readonly text: string;
}

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00';
let api: Api;
let base = '';
const keys = { observer: '', admin: '' };
/** Values that stand in the addresses of routes. */
const ids: Record<string, string[]> = {};
const held: string[] = [];
beforeAll(async () => {
  api = await openApi({
    flows: resolve('test/fixtures/planted'),
    env: { BATUTA_SECRET_KEY: randomBytes(32).toString('hex'), BATUTA_RESULTS: join(tmpdir(), 'plant3d-setting') },
    beatMs: 50,
  });
  base = await api.listen();
  for (const role of ['observer', 'admin'] as const) keys[role] = await api.key(role);
  const { client } = api;
  await client.secrets.set('plant3d-secret', { value: 'never shown', description: 'about' });
  await client.variables.set('plant3d-variable', { value: { of: 'plant3d-variable' }, description: 'plant3d-variable-about' });
  await client.connections.set('plant3d-connection', { kind: 'http', fields: { baseUrl: 'http://plant3d-connection-field.invalid' } });
  const note = 'plant3d-param';
  const planting = await client.submit(PlantedItems, { note }, { tags: ['plant3d-tag'] });
  await planting.done();
  const code = await client.submit(PlantedCode, { note }, { traceparent, callerRunId: 'plant3d-caller' });
  await client.runs.signal(code.id, 'approve', 'plant3d-signal');
  await code.done();
  for (const _ of [1, 2]) held.push((await client.submit(PlantedLimit, { note: 'plant3d-holder' })).id);
  await until(async () => (await client.runs.list({ states: ['AwaitingSlot'] })).items.length === 1);
  const cancelled = await client.enqueue('planted-limit', { note });
  await client.runs.cancel(cancelled.id, 'plant3d-cancelled');
  await client.deployments.deploy([
    {
      name: 'planted-deployment',
      flow: 'planted-limit',
      params: { note: 'plant3d-deployment-param' },
      runName: 'plant3d-deployment-run-name',
      on: { on: 'event:planted', slug: 'planted', where: { 'payload.kind': 'plant3d-filter' } },
      schedules: [{ slug: 'daily', cron: '0 9 * * *', params: { note: 'plant3d-schedule-param' } }],
    },
  ]);
  await client.deployments.run('planted-deployment', {}, { name: 'plant3d-deployment-name' });
  await client.events.emit('plant3d.event', { note: 'plant3d-payload' }, { id: 'planted-event' });
  await client.engine.services.cache.close();
  const runs = (await client.runs.list({ limit: 100 })).items.map(({ id }) => id);
  ids['{id}'] = runs;
  ids['{taskRunId}'] = (await Promise.all(runs.map((id) => client.runs.taskRuns(id)))).flatMap(({ items }) => items.map(({ id }) => id));
}, 60_000);
afterAll(async () => {
  for (const { id } of (await api.client.runs.list({ states: ['RUNNING', 'SCHEDULED', 'AwaitingSlot'] })).items)
    await api.client.runs.cancel(id);
  await api.close();
});

/** All answers of all GET routes of the description. */
async function ask(key: string): Promise<Found[]> {
  const { paths } = (await api.get('/api/openapi.json', { key })).json as { paths: Record<string, Record<string, unknown>> };
  const found: Found[] = [];
  for (const [path, methods] of Object.entries(paths)) {
    if (!('get' in methods) || path === '/api/events') continue;
    for (const url of await addressesOf(path)) {
      // Of a run that goes on it would not end.
      if (path.endsWith('/{stream}/events') && key !== keys.observer) continue;
      const { status, text } = await api.get(url, { key });
      found.push({ route: `GET ${path.replace(/\{(\w+)\}/g, ':$1')}`, url, status, text });
    }
  }
  return found;
}

async function addressesOf(path: string): Promise<readonly string[]> {
  if (path.includes('{name}')) {
    const name = { flows: 'planted-items', deployments: 'planted-deployment', variables: 'plant3d-variable', secrets: 'plant3d-secret' };
    return [path.replace('{name}', name[path.split('/')[2] as 'flows'] ?? 'plant3d-connection')];
  }
  if (path.startsWith('/api/artifacts/{id}')) return (await api.client.artifacts.list()).items.map(({ id }) => path.replace('{id}', id));
  if (path.startsWith('/api/cache/')) return (await api.client.cache.list({})).items.map(({ id }) => path.replace('{id}', id));
  if (path.startsWith('/api/events/')) return [path.replace('{id}', 'planted-event')];
  if (path === '/api/export/{kind}') return exportKinds.map((kind) => `/api/export/${kind}?format=ndjson`);
  if (!path.startsWith('/api/runs/')) return [path.replace('{id}', 'unknown')];
  const named = path.replace('{stream}', 'planted').replace('{seq}', '1');
  const runs = path.includes('{id}') ? (ids['{id}'] ?? []).map((id) => named.replace('{id}', id)) : [path];
  if (!path.includes('{taskRunId}')) return runs;
  return (ids['{taskRunId}'] ?? []).flatMap((id) => runs.map((url) => url.replace('{taskRunId}', id)));
}

test('an observer finds nothing that was planted, in any answer of any route, and an admin finds each of it', async () => {
  const [seen, whole] = [await ask(keys.observer), await ask(keys.admin)];
  for (const { url, text } of seen) expect(text.match(/.{0,200}plant3d.{0,100}/)?.[0], url).toBeUndefined();
  const all = whole.map(({ text }) => text).join('\n');
  expect(planted.filter((marker) => !all.includes(`${marker}`))).toEqual([]);
  const isLive = ({ route }: Found): boolean => route.endsWith('/:stream/events');
  expect(seen.filter((one) => !isLive(one)).length).toBe(whole.length);
  for (const { url, route, status, text } of seen) {
    if (refused.includes(route)) {
      expect(status, url).toBe(403);
      const needs = access[route]?.needs;
      expect(JSON.parse(text), url).toMatchObject({ error: { code: 'FORBIDDEN', details: { has: 'observer', needs } } });
    } else expect(status, url).toBe(whole.find((other) => other.url === url)?.status);
  }
});

test('every route of the table has been decided about: shown to an observer without payloads, refused, or a change', () => {
  const open = Object.entries(access).filter(([, { needs }]) => needs === 'observer');
  expect(open.map(([row]) => row)).toEqual(observed);
  const closed = Object.entries(access).filter(([row, { needs }]) => row.startsWith('GET ') && needs !== 'observer' && needs !== 'public');
  expect(closed.map(([row]) => row)).toEqual(refused);
  for (const [row, { needs, audit }] of Object.entries(access))
    if (!row.startsWith('GET ') && needs !== 'public' && needs !== 'reporter' && !observed.includes(row))
      expect(typeof audit, row).toBe('string');
});

test('a route for observers is not registered without a schema that says what of its answer is no payload', async () => {
  const app = fastify() as unknown as App;
  addObserver(app);
  const add = (url: string) => app.get(url, { config: { access: { needs: 'observer' } } }, async () => 'open');
  expect(() => add('/api/everything')).toThrow('no schema');
  expect(() => add('/api/runs')).not.toThrow();
  await app.close();
});

test('neither an error nor a filter tells an observer what is hidden', async () => {
  const key = keys.observer;
  const part = (ids['{id}'] ?? [''])[0]?.slice(0, 4) ?? '';
  const [said, whole] = [await api.get(`/api/runs/${part}`, { key }), await api.get(`/api/runs/${part}`, { key: keys.admin })];
  expect(whole.text).toContain('plant3d');
  expect(said).toMatchObject({ status: 404, json: { error: { code: 'RUN_NOT_FOUND', message: 'No run has that id.', details: {} } } });
  for (const filter of ['search=plant3d', 'tag=plant3d-tag', 'flow=planted-items&search=x']) {
    for (const path of ['/api/runs', '/api/runs/histogram'])
      expect(await api.get(`${path}?${filter}`, { key }), filter).toMatchObject({ status: 403, json: { error: { code: 'FORBIDDEN' } } });
  }
  for (const path of ['/api/runs?flow=planted-items&state=FAILED', '/api/deployments?search=planted&tag=x'])
    expect((await api.get(path, { key })).status, path).toBe(200);
});

test('what is no payload is there: states, times, the graph, the counts, who waits for what', async () => {
  const key = keys.observer;
  const { items } = (await api.get('/api/runs?flow=planted-items', { key })).json;
  const [{ id }] = items;
  const whole = (await api.get(`/api/runs/${id}`, { key: keys.admin })).json;
  const seen = (await api.get(`/api/runs/${id}`, { key })).json;
  expect(seen.run).toMatchObject({
    flow: 'planted-items',
    name: `run-${id.slice(-8)}`,
    tags: [],
    state: { name: 'Failed', message: null },
  });
  for (const same of ['startedAt', 'endedAt', 'attempt', 'durationMs', 'owner', 'source']) expect(seen.run[same]).toEqual(whole.run[same]);
  expect([seen.times, seen.counts, seen.flow.graph]).toEqual([whole.times, whole.counts, whole.flow.graph]);
  expect([seen.params, seen.result, seen.flow.paramsSchema]).toEqual([null, null, null]);
  expect(seen.run.error).toEqual({
    ...{ name: 'Error', message: 'Hidden for the role observer.', code: null, stack: null, details: null, cause: null },
    origin: { key: '', task: null, attempt: 1, attempts: 1, frame: whole.run.error.origin.frame },
  });
  expect(seen.rollback).toMatchObject({ stage: 'incomplete', remaining: [{ task: 'list', undo: 'undo', message: '[hidden]' }] });
  const tasks = (await api.get(`/api/runs/${id}/tasks`, { key })).json.items;
  expect(tasks).toMatchObject([
    { key: 'list', progress: { done: 1, total: 2 } },
    { key: 'one[0]', displayName: null },
    { key: 'fail' },
    {},
  ]);
  expect((await api.get(`/api/runs/${id}/graph`, { key })).json.given).toEqual([{ from: 'list', to: 'undo' }]);
  const limits = (await api.get('/api/limits', { key })).json.items;
  expect(limits).toMatchObject([{ name: expect.stringMatching(/^flow:planted-limit:[0-9a-f]{12}$/), slots: 1, held: 1, waiting: 1 }]);
  expect(limits[0].holders[0].runName).toMatch(/^run-/);
  const { why } = (await api.get(`/api/runs/${held[1]}`, { key })).json;
  expect(why).toMatchObject({ kind: 'limit', message: 'Waits for a limit of its flow or deployment.', holders: [held[0]] });
  const code = (await api.get('/api/runs?flow=planted-code', { key })).json.items[0].id;
  expect((await api.get(`/api/runs/${code}`, { key })).json.submitted).toEqual({ traceparent, callerRunId: '[hidden]' });
  const calls = (await api.get(`/api/runs/${code}/tasks`, { key })).json.items as {
    name: string;
    key: string;
    dependsOn: string[] | null;
  }[];
  const call = calls.find(({ name }) => name === 'call');
  expect(call?.key).toMatch(/^call#[0-9a-f]{12}$/);
  expect((await api.get(`/api/runs/${code}/resources`, { key })).json.items).toMatchObject([{ resource: "'tenant'", error: null }]);
});

test('a client with the key of an observer inspects and lists runs, and says of what is hidden that it is', async () => {
  const http = openHttpClient({ apiUrl: base, apiKey: keys.observer });
  const [run] = (await http.runs.list({ flow: 'planted-items' })).items;
  const inspection = await http.runs.inspect(run?.id ?? '');
  expect(inspection).toMatchObject({
    isHidden: true,
    params: {},
    artifacts: [],
    run: { flow: 'planted-items', state: { name: 'Failed' } },
  });
  expect(inspection.taskRuns.map(({ name, state }) => `${name} ${state.name}`)).toEqual([
    'list Completed',
    'one Completed',
    'fail Failed',
    'undo Failed',
  ]);
  expect(JSON.stringify(inspection)).not.toContain('plant3d');
  await expect(http.runs.logs(run?.id ?? '')).rejects.toMatchObject({
    code: 'FORBIDDEN',
    message: expect.stringContaining('no payloads and no log text; this needs the role viewer, and observer has the role observer.'),
  });
  await http.close();
  const whole = openHttpClient({ apiUrl: base, apiKey: keys.admin });
  expect(await whole.runs.inspect(run?.id ?? '')).not.toHaveProperty('isHidden');
  await whole.close();
});

test('a program around the server may call someone an observer; a stream that was opened as a viewer ends then', async () => {
  let role: Role = 'viewer';
  const own = await openApi({ authorize: () => role, beatMs: 50 });
  const stream = await openStream(`${await own.listen()}/api/events`);
  await stream.until(({ type }) => type === 'beat');
  role = 'observer';
  await stream.until(({ type, json }) => type === 'gap' && json.reason === 'key');
  expect((await own.get('/api/me')).json).toMatchObject({ role: 'observer' });
  expect((await own.get('/api/artifacts')).status).toBe(403);
  expect((await own.get('/api/runs')).status).toBe(200);
  await stream.close();
  await own.close();
});

test.each(['of all runs', 'of a run'])('a stream of events, %s, brings an observer no payload, live or read again', async (which) => {
  const { client } = api;
  const ofOne = which === 'of a run';
  const run = ofOne
    ? await client.submit(PlantedCode, { note: 'plant3d-live' })
    : await client.submit(PlantedLimit, { note: 'plant3d-holder' });
  const url = `${base}/api/events${ofOne ? `?run=${run.id}` : ''}`;
  const open = (role: 'observer' | 'admin', lastId?: string) =>
    openStream(url, { headers: { authorization: `Bearer ${keys[role]}` }, ...(lastId === undefined ? {} : { lastId }) });
  const live = { observer: await open('observer'), second: await open('observer'), admin: await open('admin') };
  for (const stream of Object.values(live)) await stream.until(({ type }) => type === 'hello');
  if (ofOne) await client.runs.signal(run.id, 'approve', 'plant3d-signal');
  else await client.runs.cancel(run.id, 'plant3d-cancelled');
  await run.done();
  const again = { observer: await open('observer', '0-0-0'), admin: await open('admin', '0-0-0') };
  const [observers, admins] = [
    [live.observer, live.second, again.observer],
    [live.admin, again.admin],
  ];
  for (const stream of [...observers, ...admins])
    await stream.until(({ type, json }) => type === 'run' && json.id === run.id && ['Completed', 'Cancelled'].includes(json.state.name));
  if (ofOne) {
    for (const stream of [...observers, ...admins]) await stream.until(({ type, json }) => type === 'task' && json.state.name === 'Failed');
    for (const stream of admins) await stream.until(({ type }) => type === 'log');
  }
  const told = ({ events }: OpenStream): string => JSON.stringify(events.filter(({ type }) => type !== 'beat' && type !== 'hello'));
  for (const stream of observers) {
    expect(told(stream)).not.toContain('plant3d');
    expect(told(stream)).toContain(`"run-${run.id.slice(-8)}"`);
    expect(stream.events.map(({ type }) => type)).not.toContain('log');
  }
  for (const stream of admins) expect(told(stream)).toContain(ofOne ? 'plant3d-closing' : 'plant3d-cancelled');
  for (const stream of [...observers, ...admins]) await stream.close();
});
