/** Answers that are compressed, and those that must not be. */
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRun } from '../../contract/store/rows.ts';
import { type Api, openApi } from '../../support/api.ts';
import { openStream } from '../../support/events.ts';

let api: Api;
let key: string;
const headers = { 'accept-encoding': 'gzip, deflate, br' };
beforeAll(async () => {
  api = await openApi({ loopback: false });
  key = await api.key('admin');
  for (let count = 0; count < 50; count++) await startRun(api.client.engine.services.store);
});
afterAll(() => api.close());

test('a long list comes compressed to who takes that, and as it is to others', async () => {
  const inject = (encoding: object) =>
    api.app.inject({ url: '/api/runs', headers: { host: 'localhost', authorization: `Bearer ${key}`, ...encoding } });
  const [squeezed, plain] = [await inject(headers), await inject({})];
  expect(squeezed.headers).toMatchObject({ 'content-encoding': 'gzip', vary: expect.stringContaining('accept-encoding') });
  expect(gunzipSync(squeezed.rawPayload).toString()).toBe(plain.body);
  expect(squeezed.rawPayload.length).toBeLessThan(plain.rawPayload.length / 4);
  expect(plain.headers['content-encoding']).toBeUndefined();
});

test('what holds a key or the token of a session, or is given without a key, is never compressed', async () => {
  for (let count = 0; count < 40; count++) await api.key('viewer', `viewer-${count}`);
  for (const path of ['/api/me', '/api/keys', '/api/settings', '/health/live'])
    expect((await api.get(path, { key, headers })).headers['content-encoding'], path).toBeUndefined();
  const made = await api.post('/api/keys', { name: 'x', role: 'viewer' }, { key, headers });
  expect(made.headers['content-encoding']).toBeUndefined();
});

test('a stream of events is not held back by it', async () => {
  const url = `${await api.listen()}/api/events`;
  const stream = await openStream(url, { headers: { ...headers, authorization: `Bearer ${key}` } });
  await stream.until(({ type }) => type === 'hello');
  const { runId } = await startRun(api.client.engine.services.store);
  await stream.until(({ type, json }) => type === 'run' && json.id === runId);
  await stream.close();
});

test('the description of the API says of a deletion that its answer is empty', async () => {
  const { json } = await api.get('/api/openapi.json', { key });
  for (const path of ['/api/runs/{id}', '/api/deployments/{name}', '/api/limits/{name}'])
    expect(Object.keys(json.paths[path].delete.responses), path).toEqual(['204', '503', '4XX']);
});
