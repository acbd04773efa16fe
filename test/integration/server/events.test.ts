/** Live events over real connections, on both databases. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import type { Store } from '../../../src/store/store.ts';
import { EventStream } from '../../../src/server/events/event-stream.ts';
import { endRun, logLine, startRun, taskRun, transitionOf } from '../../contract/store/rows.ts';
import { type Api, openApi } from '../../support/api.ts';
import { openStream } from '../../support/events.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres.ts';

describe.each(['sqlite', 'postgres'] as const)('live events on %s', (dialect) => {
  let database: TestDatabase | null;
  let api: Api;
  let store: Store;
  let url: string;
  beforeEach(async () => {
    database = dialect === 'postgres' ? await createDatabase() : null;
    api = await openApi({ ...(database ? { databaseUrl: database.url } : {}), beatMs: 50 });
    store = api.client.engine.services.store;
    url = `${await api.listen()}/api/events`;
  });
  afterEach(async () => {
    await api.close();
    await database?.drop();
  });

  const key = ({ id, state }: { id: string; state: { name: string } }): string => `${id} ${state.name}`;

  test('every change of a run reaches every stream, and a filter narrows them', async () => {
    const streams = await Promise.all([
      openStream(url),
      openStream(url),
      openStream(`${url}?flow=flight-delays`),
      openStream(`${url}?flow=other`),
    ]);
    await Promise.all(streams.map((stream) => stream.until(({ type }) => type === 'hello')));
    const claims = await Promise.all(Array.from({ length: 20 }, () => startRun(store)));
    for (const claim of claims) await endRun(store, claim);
    const wanted = claims.flatMap(({ runId }) => [`${runId} Running`, `${runId} Completed`]).sort();
    const [all, , narrowed, other] = streams;
    for (const stream of [all, narrowed]) {
      await Promise.all(claims.map(({ runId }) => stream?.until(({ json }) => json.id === runId && json.state.name === 'Completed')));
      expect(
        stream?.events
          .filter(({ type }) => type === 'run')
          .map(({ json }) => key(json))
          .sort(),
      ).toEqual(wanted);
      expect(stream?.events.find(({ type }) => type === 'run')?.json).toMatchObject({
        flow: 'flight-delays',
        deployment: null,
        at: expect.stringMatching(/Z$/),
      });
    }
    expect(other?.events.map(({ type }) => type).filter((type) => type !== 'beat')).toEqual(['hello']);
    await Promise.all(streams.map((stream) => stream.close()));
  });

  test('a stream gives a sign of life now and then, says how often, and each is a place to go on from', async () => {
    const stream = await openStream(url);
    await stream.until(({ type }) => type === 'beat');
    expect(stream.events.slice(0, 2)).toMatchObject([
      { type: 'hello', json: { beatMs: 50 } },
      { type: 'beat', json: { beatMs: 50 } },
    ]);
    const { lastId } = stream;
    expect(lastId).not.toBeNull();
    await stream.close();
    const { runId } = await startRun(store);
    const later = await openStream(url, { lastId: lastId ?? '' });
    await later.until(({ json }) => json.id === runId);
    await later.close();
  });

  test('a reader that is cut off again and again misses nothing', async () => {
    const got = new Set<string>();
    const wanted = new Set<string>();
    let writing = true;
    const writeOn = async (): Promise<void> => {
      while (writing) {
        const claims = await Promise.all(Array.from({ length: 5 }, () => startRun(store)));
        for (const claim of claims) {
          await endRun(store, claim);
          wanted.add(`${claim.runId} Running`).add(`${claim.runId} Completed`);
        }
      }
    };
    let write: Promise<void> | null = null;
    let lastId: string | null = null;
    for (let cut = 0; cut < 6; cut++) {
      const stream = await openStream(url, lastId === null ? {} : { lastId });
      await stream.until(({ type }) => type === 'hello');
      write ??= writeOn();
      const had = got.size;
      await stream.until(({ type }) => {
        for (const event of stream.events) if (event.type === 'run') got.add(key(event.json));
        return type === 'run' && got.size >= had + 20;
      });
      if (cut === 5) {
        writing = false;
        await write;
        await expect
          .poll(
            () => {
              for (const event of stream.events) if (event.type === 'run') got.add(key(event.json));
              return [...wanted].filter((one) => !got.has(one));
            },
            { timeout: 10_000 },
          )
          .toEqual([]);
      }
      expect(stream.events.map(({ type }) => type)).not.toContain('gap');
      lastId = stream.lastId;
      await stream.close();
    }
  });

  test('of one run tell of its tasks and lines as well, and go on after a cut', async () => {
    const [mine, other] = [await startRun(store), await startRun(store)];
    const first = await openStream(`${url}?run=${mine.runId}`);
    await first.until(({ type }) => type === 'hello');
    const write = async (name: string): Promise<void> => {
      for (const claim of [mine, other]) {
        const row = taskRun(claim.runId, name);
        await store.recorder.addTaskRun(claim, row, transitionOf(row));
        await store.recorder.addLog(logLine(claim.runId, `${name} says`));
      }
    };
    await write('load');
    await first.until(({ type, json }) => type === 'log' && json.message === 'load says');
    await first.until(({ type }) => type === 'task');
    expect(first.events.find(({ type }) => type === 'task')?.json).toMatchObject({
      runId: mine.runId,
      name: 'load',
      state: { type: 'RUNNING' },
    });
    // Its place comes with the next sign of life.
    await expect.poll(() => first.lastId?.split('-')[2], { timeout: 10_000 }).toMatch(/^[1-9]/);
    const lastId = first.lastId ?? '';
    await first.close();
    await write('join');
    await endRun(store, mine);
    const second = await openStream(`${url}?run=${mine.runId}`, { lastId });
    await second.until(({ type, json }) => type === 'log' && json.message === 'join says');
    await second.until(({ type, json }) => type === 'task' && json.name === 'join');
    await second.until(({ type, json }) => type === 'run' && json.state.name === 'Completed');
    expect(second.events.every(({ json }) => json.runId === undefined || json.runId === mine.runId)).toBe(true);
    await second.close();
    expect((await fetch(`${url}?run=unknown-run`)).status).toBe(404);
  });

  test('what lies too far back, or is of another database, is told as a gap, and the stream goes on', async () => {
    for (let count = 0; count < 5; count++) await Promise.all(Array.from({ length: 1_001 }, () => startRun(store)));
    for (const lastId of ['0', '99999999']) {
      const stream = await openStream(url, { lastId });
      await stream.until(({ type }) => type === 'gap');
      const claim = await startRun(store);
      await stream.until(({ type, json }) => type === 'run' && json.id === claim.runId);
      await stream.close();
    }
    const odd = await openStream(url, { lastId: "1'; drop table runs" });
    await odd.until(({ type }) => type === 'hello');
    await odd.close();
  });

  test('end soon after their key is revoked, and with the server', async () => {
    const made = await api.client.keys.create({ name: 'ada', role: 'viewer' });
    const stays = await api.key('viewer', 'grace');
    const streams = [made.key, stays].map((one) => openStream(url, { headers: { authorization: `Bearer ${one}` } }));
    const [revoked, open] = await Promise.all(streams);
    await Promise.all([revoked?.until(({ type }) => type === 'hello'), open?.until(({ type }) => type === 'hello')]);
    await api.client.keys.revoke(made.entry.id);
    await expect.poll(() => revoked?.ended).toBe(true);
    expect(revoked?.events.at(-1)).toMatchObject({ type: 'gap', json: { reason: 'key' } });
    expect(open?.ended).toBe(false);
    await api.app.close();
    await expect.poll(() => open?.ended).toBe(true);
  });

  // Where writers come one after another, as on SQLite, this cannot be.
  if (dialect === 'postgres')
    test('a change that is committed after later ones is not missed', async () => {
      const slow = await startRun(store);
      const stream = await openStream(url);
      await stream.until(({ type }) => type === 'hello');
      const writer = new pg.Client({ connectionString: database?.url });
      await writer.connect();
      await writer.query('begin');
      await writer.query("insert into transitions (run_id, at, type, name, attempt) values ($1, 1, 'RUNNING', 'Retrying', 1)", [
        slow.runId,
      ]);
      const quick = await startRun(store);
      await stream.until(({ json }) => json.id === quick.runId);
      const before = stream.lastId;
      await writer.query('commit');
      await writer.end();
      await stream.until(({ json }) => json.id === slow.runId && json.state.name === 'Retrying');
      await stream.close();
      const again = await openStream(url, { lastId: before ?? '' });
      await again.until(({ json }) => json.id === slow.runId && json.state.name === 'Retrying');
      await again.close();
    });
});

test('a reader that does not read is dropped, and what waits for it stays bounded', async () => {
  let largest = 0;
  let opened: (stream: EventStream) => void = () => undefined;
  const opening = new Promise<EventStream>((resolve) => (opened = resolve));
  const server = createServer((_request, response) => {
    const stream = new EventStream(response, systemClock, () => undefined);
    stream.begin({});
    opened(stream);
    const write = stream.write.bind(stream);
    stream.write = (text) => {
      write(text);
      largest = Math.max(largest, response.writableLength);
    };
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.pause();
  socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
  const stream = await opening;
  const text = `data: ${'x'.repeat(64 * 1024)}\n\n`;
  for (let count = 0; stream.isOpen && count < 2_000; count++) {
    stream.write(text);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(stream.isOpen).toBe(false);
  expect(largest).toBeLessThan(1.5 * 1024 * 1024);
  socket.destroy();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});
