/** What readers of live events may take of a server: streams, bytes, and nothing once they have hung up. */
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import fastify from 'fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { Authenticator, type Identity } from '../../../src/server/identity.ts';
import { LiveEvents, type StreamBounds } from '../../../src/server/events/live-events.ts';
import { logLine, startRun } from '../../contract/store/rows.ts';
import { type Api, openApi } from '../../support/api.ts';
import { openStream } from '../../support/events.ts';

const viewer: Identity = { role: 'viewer', who: 'local', keyId: null, by: 'local', csrf: null };
let api: Api;
const sockets: Socket[] = [];
const closing: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  api = await openApi();
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const close of closing.splice(0)) await close();
  await api.close();
});

/** An app of event streams alone; `before` is what a request goes through before its stream begins. */
async function serve(bounds: Partial<StreamBounds> = {}, before: (socket: Socket) => Promise<unknown> = async () => undefined) {
  const { store, log } = api.client.engine.services;
  const live = new LiveEvents({
    store,
    clock: systemClock,
    random: Math.random,
    logger: log,
    authenticator: new Authenticator(api.client.keys, true),
    bounds,
  });
  const app = fastify({ forceCloseConnections: true });
  app.get<{ Querystring: { run?: string } }>('/api/events', async (request, reply) => {
    await before(request.raw.socket);
    // As the guard does, which this app goes without; who is not known gets what an observer gets.
    request.identity = viewer;
    await live.open(request, reply, request.query);
  });
  closing.push(async () => {
    await live.close();
    await app.close();
  });
  const url = `${await app.listen({ host: '127.0.0.1', port: 0 })}/api/events`;
  return { live, app, url, port: (app.server.address() as AddressInfo).port };
}

function ask(port: number, path = '/api/events', times = 1): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`.repeat(times));
  sockets.push(socket);
  return socket;
}

test('a reader that hangs up before its stream begins leaves none behind', async () => {
  let ended = 0;
  const { live, port } = await serve({}, async (socket) => {
    if (!socket.destroyed) await once(socket, 'close');
    ended++;
  });
  for (let count = 0; count < 20; count++)
    ask(port).once('connect', function (this: Socket) {
      setImmediate(() => this.resetAndDestroy());
    });
  await expect.poll(() => ended).toBeGreaterThan(0);
  await new Promise((resolve) => setImmediate(resolve));
  expect(live.streams).toBe(0);
});

test('a reader that hangs up at any moment leaves no stream behind', async () => {
  const { live, app, port } = await serve({}, () => new Promise((resolve) => setImmediate(resolve)));
  for (let count = 0; count < 100; count++) {
    const socket = ask(port);
    await once(socket, 'connect');
    for (let turn = 0; turn < count % 7; turn++) await new Promise((resolve) => setImmediate(resolve));
    socket.resetAndDestroy();
  }
  await expect.poll(() => new Promise((resolve) => app.server.getConnections((_, open) => resolve(open)))).toBe(0);
  await expect.poll(() => live.streams).toBe(0);
});

test('streams that were asked for one behind the other on one connection end with it', async () => {
  const { live, port } = await serve();
  const socket = ask(port, '/api/events', 3);
  await expect.poll(() => live.streams).toBe(3);
  socket.resetAndDestroy();
  await expect.poll(() => live.streams).toBe(0);
});

test('what waits for readers that do not read is bounded over all of them, and who reads goes on', async () => {
  const bytes = 2 * 1024 * 1024;
  const { live, url, port } = await serve({ bytes });
  const { runId } = await startRun(api.client.engine.services.store);
  const path = `/api/events?run=${runId}`;
  for (let count = 0; count < 30; count++) ask(port, path).pause();
  const reader = await openStream(`${url}?run=${runId}`);
  await expect.poll(() => live.streams).toBe(31);
  let largest = 0;
  for (let count = 0; count < 120; count++) {
    await api.client.engine.services.store.recorder.addLog(logLine(runId, `${count} ${'x'.repeat(60_000)}`));
    await new Promise((resolve) => setImmediate(resolve));
    largest = Math.max(largest, live.waitingBytes);
  }
  await reader.until(({ type, json }) => type === 'log' && json.message.startsWith('119 '));
  await expect.poll(() => live.streams).toBeLessThan(31);
  expect(Math.max(largest, live.waitingBytes)).toBeLessThan(bytes + 1024 * 1024);
  expect(reader.events.map(({ type }) => type)).not.toContain('gap');
  await reader.close();
});

test('a slow reader gets all of a burst that is larger than all bounds, each event once, beside readers that do not read', async () => {
  const { live, url, port } = await serve({ bytes: 2 * 1024 * 1024 });
  const { store } = api.client.engine.services;
  const { runId } = await startRun(store);
  for (let count = 0; count < 10; count++) ask(port, `/api/events?run=${runId}`).pause();
  const pause = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  const reader = await openStream(`${url}?run=${runId}`, { pause });
  const quick = await openStream(`${url}?run=${runId}`);
  await expect.poll(() => live.streams).toBe(12);
  const lines = 400;
  await Promise.all(Array.from({ length: lines }, (_, at) => store.recorder.addLog(logLine(runId, `${at} ${'x'.repeat(60_000)}`))));
  for (const one of [quick, reader]) {
    await one.until(({ type, json }) => type === 'log' && json.message.startsWith(`${lines - 1} `));
    const numbers = one.events.filter(({ type }) => type === 'log').map(({ json }) => Number.parseInt(json.message, 10));
    expect(numbers).toEqual(Array.from({ length: lines }, (_, at) => at));
    expect(one.events.map(({ type }) => type)).not.toContain('gap');
  }
  await store.recorder.addLog(logLine(runId, 'after it'));
  await reader.until(({ json }) => json.message === 'after it');
  await reader.close();
  await quick.close();
});

test('one key has no more streams than its share; others still get theirs', async () => {
  const keyed = await openApi({ loopback: false, bounds: { streams: { streams: 6, streamsPerKey: 4 } } });
  closing.push(() => keyed.close());
  const url = `${await keyed.listen()}/api/events`;
  const [one, other] = [await keyed.key('viewer', 'one'), await keyed.key('viewer', 'other')];
  const open = async (key: string) => {
    const stream = await openStream(url, { headers: { authorization: `Bearer ${key}` } });
    closing.unshift(() => stream.close());
    return stream.status;
  };
  const statuses = [];
  for (let count = 0; count < 6; count++) statuses.push(await open(one));
  expect(statuses).toEqual([200, 200, 200, 200, 429, 429]);
  expect([await open(other), await open(other), await open(other)]).toEqual([200, 200, 429]);
});
