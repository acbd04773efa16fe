/** Room that large bodies take of a server: whatever their senders do, it is given back. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Api, openApi } from '../../support/api.ts';

const mib = 1024 * 1024;
let api: Api;
let url: URL;
const sockets: Socket[] = [];
beforeEach(async () => {
  api = await openApi({ loopback: false, bounds: { maxBulkBodyBytes: 2 * mib, maxBodyBytes: 2 * mib } });
  url = new URL(await api.listen());
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await api.close();
});

async function open(): Promise<Socket> {
  const socket = connect(Number(url.port), url.hostname);
  socket.on('error', () => undefined);
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

function head(method: string, path: string, key: string, length?: number): string {
  const body = length === undefined ? '' : `content-type: application/json\r\ncontent-length: ${length}\r\n`;
  return `${method} ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${key}\r\n${body}\r\n`;
}

/** A body of nearly so many bytes. */
function bodyOf(bytes: number): string {
  const run = `{"params":{"name":"${'x'.repeat(1_000)}"}}`;
  return `{"flow":"none","runs":[${Array.from({ length: Math.floor(bytes / (run.length + 1)) - 1 }, () => run).join(',')}]}`;
}

/** As many of the largest bodies as may be on their way together are taken, once those of before have arrived; none waits for ever. */
async function expectRoom(key: string): Promise<void> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
  const body = bodyOf(1.9 * mib);
  const post = async (): Promise<string> => {
    const answer = await fetch(`${url.origin}/api/runs/many`, { method: 'POST', headers, body });
    return ((await answer.json()) as { readonly error: { readonly code: string } }).error.code;
  };
  const codes = ['FLOW_NOT_FOUND', 'FLOW_NOT_FOUND', 'FLOW_NOT_FOUND', 'FLOW_NOT_FOUND'];
  await expect.poll(() => Promise.all([post(), post(), post(), post()]), { timeout: 20_000 }).toEqual(codes);
}

test('a body whose answer waits behind a stream of its connection holds nothing up', async () => {
  const key = await api.key('operator');
  const body = bodyOf(1.9 * mib);
  for (let count = 0; count < 3; count++) {
    const socket = await open();
    socket.write(head('GET', '/api/events', key));
    await once(socket, 'data');
    for (let times = 0; times < 2; times++) socket.write(head('POST', '/api/runs/many', key, Buffer.byteLength(body)) + body);
  }
  await expectRoom(key);
});

test('senders that hang up, at whatever moment, one request behind the other, leave nothing taken', async () => {
  const key = await api.key('operator');
  const body = bodyOf(0.9 * mib);
  for (let count = 0; count < 60; count++) {
    const socket = await open();
    const shown = count % 5 === 0 ? 'batuta_wrong' : key;
    if (count % 3 === 0) socket.write(head('GET', '/api/runs', shown));
    const text = count % 4 === 0 ? `${body.slice(0, -2)}[[` : body;
    socket.write(head('POST', '/api/runs/many', shown, text.length) + text.slice(0, count % 7 === 0 ? text.length / 2 : text.length));
    if (count % 2 === 0 && count % 7 !== 0) socket.write(head('POST', '/api/runs', shown, text.length) + text);
    if (count % 5 === 1) socket.pause();
    for (let turn = 0; turn < count % 11; turn++) await new Promise((resolve) => setImmediate(resolve));
    if (count % 6 === 5) socket.end();
    else socket.resetAndDestroy();
  }
  await expect.poll(() => new Promise((resolve) => api.app.server.getConnections((_, open) => resolve(open)))).toBe(0);
  await expectRoom(key);
});

test('reads, large bodies and wrong keys at the same time are all answered', async () => {
  const key = await api.key('operator');
  const body = bodyOf(1.5 * mib);
  const json = { 'content-type': 'application/json' };
  const ask = async (path: string, init: RequestInit = {}): Promise<number | 'cut'> => {
    const answer = await fetch(url.origin + path, init).catch(() => null);
    if (answer === null) return 'cut';
    await answer.arrayBuffer().catch(() => null);
    return answer.status;
  };
  const shown = { authorization: `Bearer ${key}` };
  const all = Array.from({ length: 120 }, async (_, at) =>
    [
      () => ask('/api/runs?limit=1000', { headers: shown }),
      () => ask('/api/runs/many', { method: 'POST', headers: { ...json, ...shown }, body }),
      () => ask('/api/runs/many', { method: 'POST', headers: { ...json, authorization: 'Bearer batuta_wrong' }, body }),
      () => ask('/api/login', { method: 'POST', headers: json, body: `{"key":"wrong${at}"}` }),
      () => ask('/api/login', { method: 'POST', headers: json, body }),
      () => ask('/api/openapi.json', { headers: shown }),
    ][at % 6]?.(),
  );
  const answered = await Promise.all(all);
  expect(answered).toHaveLength(120);
  expect(answered.filter((status) => ![200, 401, 404, 413, 429, 'cut'].includes(status ?? 0))).toEqual([]);
  await expectRoom(key);
});
