/** Reports when something between breaks: answers that are lost, a wrong key, a full buffer, several programs, another version, a hostile reporter. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Flow, Task, type TaskContext } from 'batuta';
import Database from 'libsql';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadConfig } from '../../../src/base/config.ts';
import { checkReports } from '../../../src/cli/commands/doctor-reports.ts';
import type { Store } from '../../../src/store/store.ts';
import { type Api, openApi } from '../../support/api.ts';
import { makeProgramPlace, type Program, type ProgramPlace } from '../../support/reporting.ts';

@Flow()
class Talks {
  @Task() async one(ctx: TaskContext) {
    for (let line = 0; line < 30; line++) ctx.log.info(`line ${line}`);
    return [1, 2, 3];
  }
  @Task({ each: 'one' }) async item(n: number) {
    return n;
  }
}

@Flow()
class Chatters {
  @Task() async much(ctx: TaskContext) {
    for (let line = 0; line < 300; line++) ctx.log.info(`${String(line)} ${'x'.repeat(10_000)}`);
  }
}

let api: Api;
let url: string;
let admin: string;
let place: ProgramPlace;
const closing: (() => Promise<unknown> | void)[] = [];
beforeEach(async () => {
  api = await openApi();
  admin = await api.key('admin');
  url = await api.listen();
  place = makeProgramPlace(() => url, await api.key('reporter'));
});
afterEach(async () => {
  await place.remove();
  for (const close of closing.splice(0)) await close();
  await api.close();
});

const server = (): Store => api.client.engine.services.store;

async function runs({ client }: Program, count: number, flow: typeof Talks | typeof Chatters = Talks): Promise<string[]> {
  const ids: string[] = [];
  for (let at = 0; at < count; at++) {
    const handle = await client.submit(flow, {});
    await handle.done();
    ids.push(handle.id);
  }
  return ids;
}

async function expectSame(near: Store, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    expect((await server().runs.get(id))?.state).toEqual((await near.runs.get(id))?.state);
    expect(await server().transitions.ofRun(id)).toEqual(await near.transitions.ofRun(id));
    expect((await server().logs.ofRun(id)).map(({ message }) => message)).toEqual(
      (await near.logs.ofRun(id)).map(({ message }) => message),
    );
  }
}

/** Passes requests on, loses what `loses` says of the answers, and gives others once `holds` lets them go. */
async function proxy(loses: (count: number) => boolean, holds: (body: string) => Promise<void> | null = () => null): Promise<string> {
  let count = 0;
  const between: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    const pass = async (): Promise<void> => {
      const { authorization = '', 'content-type': type = '' } = request.headers;
      const answer = await fetch(`${url}${request.url ?? ''}`, {
        method: 'POST',
        headers: { authorization, 'content-type': type },
        body: Buffer.concat(chunks),
      });
      const text = await answer.text();
      await holds(Buffer.concat(chunks).toString());
      if (loses((count += 1))) request.socket.destroy();
      else response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text);
    };
    request.once('end', () => void pass());
  });
  await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    between.closeAllConnections();
    between.close();
  });
  return `http://127.0.0.1:${(between.address() as AddressInfo).port}`;
}

it('answers that are lost after the server has written double nothing, and lose nothing', async () => {
  const BATUTA_REPORT_URL = await proxy((count) => count % 2 === 0);
  const ids: string[] = [];
  for (let life = 0; life < 3; life++) {
    const program = await place.open({ BATUTA_REPORT_URL });
    ids.push(...(await runs(program, 2)));
    await program.close();
  }
  const last = await place.open();
  await last.close();
  await expectSame(await place.look(), ids);
});

it('a key that is refused is said once, with what to do; what waits follows once the right one is set', async () => {
  const before = await place.open({ BATUTA_REPORT_KEY: 'batuta_wrong' });
  const ids = await runs(before, 2);
  await before.close();
  const told = before.logged.filter((line) => line.includes('refuses the key'));
  expect(told).toHaveLength(1);
  expect(told[0]).toContain('npx batuta key create --name edge --role reporter');
  expect(told[0]).not.toContain('batuta_wrong');
  expect((await server().runs.list()).items).toEqual([]);
  const after = await place.open();
  ids.push(...(await runs(after, 1)));
  await after.close();
  await expectSame(await place.look(), ids);
});

it('a full buffer leaves out the oldest lines and counts them; runs, tasks and states are all reported', async () => {
  const away = await place.open({ BATUTA_REPORT_URL: 'http://127.0.0.1:1', BATUTA_REPORT_BUFFER: '1MiB' });
  const ids = await runs(away, 2, Chatters);
  await away.close();
  const near = await place.look();
  const { bytes, dropped } = (await near.outbox?.state()) ?? { bytes: 0, dropped: 0 };
  expect(bytes).toBeLessThanOrEqual(1024 * 1024);
  expect(dropped).toBeGreaterThan(400);
  await (await place.open()).close();
  for (const id of ids) {
    expect((await server().runs.get(id))?.state.name).toBe('Completed');
    expect(await server().transitions.ofRun(id)).toEqual(await near.transitions.ofRun(id));
    const [lines, kept] = [await near.logs.ofRun(id), await server().logs.ofRun(id)];
    expect(kept.map(({ message }) => message)).toEqual(lines.slice(lines.length - kept.length).map(({ message }) => message));
  }
  expect((await server().reports.list())[0]).toMatchObject({ dropped, waitingItems: 0 });
});

it('lines that were being sent as the buffer was full are there once, those that waited behind them are left out and counted', async () => {
  let letGo = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let isHolding = false;
  const BATUTA_REPORT_URL = await proxy(
    () => false,
    (body) => {
      if (isHolding || !body.includes('"kind":"log"')) return null;
      isHolding = true;
      return held;
    },
  );
  const program = await place.open({ BATUTA_REPORT_URL, BATUTA_REPORT_BUFFER: '1MiB' });
  const ids = await runs(program, 1);
  await expect.poll(() => isHolding).toBe(true);
  ids.push(...(await runs(program, 2, Chatters)));
  // All 630 lines have been noted: each waits, or is left out.
  const database = new Database(place.databaseUrl.replace('sqlite:', ''));
  closing.push(() => void database.close());
  const waiting = database.prepare("select count(*) as lines from report_items where kind = 'log'");
  const noted = async () => (waiting.get() as { lines: number }).lines + ((await program.store.outbox?.state())?.dropped ?? 0);
  await expect.poll(noted).toBe(630);
  letGo();
  await program.close();
  const near = await place.look();
  let missing = 0;
  for (const [at, id] of ids.entries()) {
    const messagesOf = async (store: Store) => (await store.logs.ofRun(id)).map(({ message }) => message);
    const [lines, kept] = await Promise.all([messagesOf(near), messagesOf(server())]);
    const sent = kept.findIndex((line, place) => line !== lines[place]);
    const first = sent < 0 ? kept.length : sent;
    if (at === 0) expect(first).toBeGreaterThan(0);
    expect(kept).toEqual([...lines.slice(0, first), ...lines.slice(lines.length - (kept.length - first))]);
    missing += lines.length - kept.length;
  }
  expect(missing).toBeGreaterThan(0);
  expect(missing).toBeLessThanOrEqual((await near.outbox?.state())?.dropped ?? 0);
});

it('two programs report beside each other; two processes of one store report as one', async () => {
  const other = makeProgramPlace(() => url, admin);
  closing.push(() => other.remove());
  const [first, beside, alone] = [await place.open(), await place.open(), await other.open({ BATUTA_REPORT_NAME: 'lab' })];
  const [ids, more, theirs] = await Promise.all([runs(first, 2), runs(beside, 2), runs(alone, 2)]);
  await Promise.all([first.close(), beside.close(), alone.close()]);
  await expectSame(await place.look(), [...ids, ...more]);
  await expectSame(await other.look(), theirs);
  expect((await server().reports.list()).map(({ name }) => name)).toEqual(['edge', 'lab']);
});

it('another version reports under a new id, which goes on where the one before stood', async () => {
  const old = await place.open();
  const ids = await runs(old, 1);
  await old.close();
  const next = await place.open({ BATUTA_REPORT_VERSION: '2.0.0' });
  ids.push(...(await runs(next, 1)));
  await next.close();
  await expectSame(await place.look(), ids);
  const [second, first] = await server().reports.list();
  expect([first, second]).toMatchObject([
    { version: '1.0.0', replacedBy: second?.id },
    { version: '2.0.0', replacedBy: null },
  ]);
  expect((await server().runs.get(ids[0] ?? ''))?.owner?.reporter?.version).toBe('1.0.0');
  expect((await server().runs.get(ids[1] ?? ''))?.owner?.reporter?.version).toBe('2.0.0');
});

it('a server that has lost its database gets what is open once more, and all that comes', async () => {
  const program = await place.open();
  await runs(program, 1);
  await program.close();
  await api.close();
  api = await openApi();
  url = await api.listen();
  const again = await place.open({ BATUTA_REPORT_KEY: await api.key('reporter') });
  const ids = await runs(again, 1);
  await again.close();
  await expectSame(await place.look(), ids);
});

it('doctor says whether the server takes reports, and what to do where it does not', async () => {
  const check = async (env: Readonly<Record<string, string>>) => {
    const { config } = await loadConfig({ env: { BATUTA_REPORT_URL: url, ...env } });
    return (await checkReports(config)).map(({ verdict }) => verdict).join();
  };
  const key = await api.key('reporter', 'checked');
  expect(await check({ BATUTA_REPORT_KEY: key })).toBe('good');
  expect(await check({ BATUTA_REPORT_KEY: admin })).toBe('odd');
  expect(await check({ BATUTA_REPORT_KEY: await api.key('viewer') })).toBe('bad');
  expect(await check({ BATUTA_REPORT_KEY: 'batuta_wrong' })).toBe('bad');
  expect(await check({ BATUTA_REPORT_URL: 'http://127.0.0.1:1' })).toBe('odd');
  expect(await check({ BATUTA_DATABASE_URL: 'postgres://localhost/x' })).toBe('odd');
});

it('a hostile reporter changes nothing but its own, whatever it sends', async () => {
  const program = await place.open();
  const [runId = ''] = await runs(program, 1);
  await program.close();
  const key = await api.key('reporter', 'evil');
  const card = {
    id: '0192f0aa-7c1e-4c7d-9f5b-4f8b1a2c3d4e',
    secret: `rs_${'a'.repeat(43)}`,
    name: 'evil',
    version: '1',
    batuta: '1',
    host: 'h',
  };
  const token = `rt_${'b'.repeat(43)}`;
  const register = { ...card, pid: 1, startedAt: 0, confirmed: 0, sent: 0, previous: null, token: null, nextToken: token };
  expect((await api.post('/api/reports', register, { key })).json).toEqual({ last: 0, isNew: true });
  const note = { waitingItems: 0, waitingBytes: 0, dropped: 0, isStopping: false };
  const post = async (items: readonly object[], id = card.id) =>
    await api.post(`/api/reports/${id}/batches`, { secret: card.secret, token, after: 0, note, items }, { key });
  const before = await server().runs.get(runId);
  const own = (await server().reports.list()).find(({ name }) => name === 'edge');
  expect((await post([], own?.id)).json.error.code).toBe('REPORTER_UNKNOWN');
  const { json } = await post([
    { seq: 1, kind: 'log', data: { runId, taskRunId: null, number: 99, at: 1, level: 30, message: 'forged', fields: null } },
    { seq: 2, kind: 'run', data: { id: 'x', state: { type: 'COMPLETED', name: 'Running', message: null } } },
    { seq: 3, kind: 'transition', data: { runId, type: 'NEVER' } },
    { seq: 4, kind: 'artifact', data: 'x'.repeat(2_000_000) },
    { seq: 4, kind: 'flow', data: { name: 'talks', version: '9', description: null, tags: [], kind: 'graph', graph: {}, updatedAt: 1 } },
    { seq: 9, kind: 'flow', data: { name: 'talks', version: '9', description: null, tags: [], kind: 'graph', graph: {}, updatedAt: 1 } },
  ]);
  expect(json.last).toBe(9);
  expect(json.refused.map(({ seq, reason }: { seq: number; reason: string }) => `${seq} ${reason}`).sort()).toEqual([
    '1 foreign',
    '2 invalid',
    '3 invalid',
    '4 invalid',
    '4 invalid',
  ]);
  expect(await server().runs.get(runId)).toEqual(before);
  expect((await server().flows.get('talks'))?.version).not.toBe('9');
  expect((await post([{ seq: 10, kind: 'nothing', data: null }])).status).toBe(400);
  expect((await post(Array.from({ length: 1_001 }, (_, at) => ({ seq: 11 + at, kind: 'log', data: null })))).status).toBe(400);
  const huge = await api.post(`/api/reports/${card.id}/batches`, { padding: 'x'.repeat(20_000_000) }, { key });
  expect(huge.status).toBe(413);
  expect((await api.get('/api/runs', { key })).json.error.code).toBe('FORBIDDEN');
  expect((await api.post('/api/login', { key })).json.error.code).toBe('FORBIDDEN');
});
