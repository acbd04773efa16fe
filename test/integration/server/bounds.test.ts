/** What somebody who has shown no key may take of a server. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type Api, type ApiOptions, openApi } from '../../support/api.ts';
import { openStream } from '../../support/events.ts';

let api: Api;
afterEach(() => api.close());

async function open(options: ApiOptions = {}): Promise<void> {
  api = await openApi({ loopback: false, ...options });
}

const json = { 'content-type': 'application/json' };

test('a large body is not read of who has shown no key', async () => {
  await open();
  const body = `{"key":"${'a'.repeat(20_000)}"}`;
  expect((await api.post('/api/login', body, { headers: json })).status).toBe(413);
  // No JSON at all: had it been read, it would be refused as such.
  expect((await api.post('/api/runs', 'x'.repeat(20_000), { headers: json })).status).toBe(401);
  expect((await api.post('/api/logout', body, { headers: json })).status).toBe(413);
});

test('an attempt to log in counts whatever its body is', async () => {
  await open();
  const statuses = [];
  for (const body of Array.from({ length: 12 }, (_, index) => ['{', '[]', `{"key":[${'{},'.repeat(500)}{}]}`][index % 3]))
    statuses.push((await api.post('/api/login', body, { headers: json })).status);
  expect(statuses.slice(0, 10)).not.toContain(429);
  expect(statuses.slice(10)).toEqual([429, 429]);
});

test('an address that keeps showing keys which open nothing is refused; a key that was good before still opens', async () => {
  await open({ bounds: { failuresPerMinute: 5 } });
  const key = await api.key('viewer');
  expect((await api.get('/api/runs', { key })).status).toBe(200);
  const statuses = [];
  for (let tries = 0; tries < 8; tries++) statuses.push((await api.get('/api/runs', { key: `batuta_wrong${tries}` })).status);
  expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
  expect((await api.get('/api/runs')).status).toBe(429);
  const refused = await api.get('/api/me', { key: 'batuta_another' });
  expect(refused).toMatchObject({ status: 429, json: { error: { code: 'RATE_LIMITED' } } });
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  expect((await api.get('/api/runs', { key })).status).toBe(200);
  expect((await api.get('/health/live')).status).toBe(200);
});

test.each([
  ['a head that does not end', 'POST /api/login HTTP/1.1\r\nHost: a\r\nX-a: ', ' '],
  [
    'a body that does not end',
    'POST /api/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"key":"',
    ' ',
  ],
  [
    'pieces that do not end',
    'POST /api/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
    '1\r\n \r\n',
  ],
  ['silence', '', ''],
])('a connection is closed in time that brings %s', async (_, beginning, drop) => {
  await open({ bounds: { headersTimeoutMs: 200, requestTimeoutMs: 300 } });
  const { hostname, port } = new URL(await api.listen());
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined).resume();
  await once(socket, 'connect');
  socket.write(beginning);
  const dripping = setInterval(() => drop !== '' && socket.write(drop), 50);
  await once(socket, 'close');
  clearInterval(dripping);
});

test.each([
  ['kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk'],
  ['abcdefghijklmnopqrstuvwxyz0123456789'],
  ['0123456789abcdef0123456789abcdef'],
  ['passwordPassword1234passwordPassword'],
  ['qwertyuiopasdfghjklzxcvbnm1234567890'],
  ['Batuta-Admin-Key-Production-2026-01'],
  ['too-short'],
])('a key that can be guessed is not taken: %s', async (key) => {
  await open();
  await expect(api.client.keys.bootstrap(key)).rejects.toMatchObject({ code: 'CONFIG_INVALID', details: { setting: 'adminKey' } });
  expect(await api.client.keys.any()).toBe(false);
});

test.each(['b9f0c2a7714e5d8836fd21ac904b7e15', 'V7k2+mQx0Zr9TnLd4WcYb8HsUe1GfJaP', '3f0e9a52-7c41-4d8b-9e26-b15d80c7fa34'])(
  'a random key is taken: %s',
  async (key) => {
    await open();
    await api.client.keys.bootstrap(key);
    expect((await api.get('/api/me', { key })).json).toMatchObject({ role: 'admin', who: 'bootstrap' });
  },
);

test('a body of more levels, or more objects and lists, than anything people write is refused before anything is made of it', async () => {
  await open();
  const key = await api.key('operator');
  const post = (body: string) => api.post('/api/runs/many', body, { key, headers: json });
  expect((await post(`{"a":${'['.repeat(101)}${']'.repeat(101)}}`)).json.error.message).toContain('nested deeper');
  expect((await post(`[${'{},'.repeat(500_000)}{}]`)).json.error.message).toContain('more than 500000 objects');
  const texts = JSON.stringify({ flow: 'hello', runs: [{ params: { name: `${'[{"'.repeat(200_000)}\\` } }] });
  expect((await post(texts)).status).toBe(201);
});

test('requests without a body, streams among them, take no room from bodies', async () => {
  await open({ bounds: { maxBodyBytes: 128 * 1024, maxBulkBodyBytes: 128 * 1024 } });
  const key = await api.key('operator');
  const url = await api.listen();
  const headers = { authorization: `Bearer ${key}` };
  const streams = await Promise.all(Array.from({ length: 8 }, () => openStream(`${url}/api/events`, { headers })));
  expect(streams.map(({ status }) => status)).toEqual(streams.map(() => 200));
  const body = { flow: 'hello', params: { name: 'x'.repeat(100_000) } };
  expect((await api.post('/api/runs', body, { key })).status).toBe(201);
  await Promise.all(streams.map((stream) => stream.close()));
});
