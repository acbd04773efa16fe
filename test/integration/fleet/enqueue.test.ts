/** Handing runs to workers from code. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Flow, type FlowClass, Task, type TaskContext } from 'batuta';
import { openLocalClient } from '../../../src/client/open-local-client.ts';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { openLog } from '../../../src/base/log.ts';
import { definitionOf } from '../../../src/define/definition.ts';
import { processTicket } from '../../../worker/process-ticket.ts';

@Flow({ params: z.object({ city: z.string() }) })
class Weather {
  @Task()
  async look({ params }: TaskContext<{ city: string }>): Promise<string> {
    if (params.city === 'Atlantis') throw new RangeError('it has sunk');
    return `fine in ${params.city}`;
  }
}

let folder: string;
let client: Awaited<ReturnType<typeof openLocalClient>>;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'batuta-enqueue-'));
  const log = await openLog({ level: 'silent', format: 'json' });
  client = await openLocalClient({ log, databaseUrl: `sqlite:${join(folder, 'batuta.db')}`, flows: ['flows'] });
});
afterEach(async () => {
  await client.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Takes the tickets in this process, as a worker would. */
async function work(...flows: FlowClass[]): Promise<void> {
  const { engine } = client;
  const known = new Map(flows.map((flow) => [definitionOf(flow).name, definitionOf(flow)]));
  const broker = await client.broker();
  const parts = { engine, broker, log: engine.services.log, flows: known };
  broker.consume(['default', 'slow'], { concurrency: 4 }, (ticket) => processTicket(parts, ticket));
}

test('a run is executed by whoever takes it, and its value comes back', async () => {
  await work(Weather);
  const handle = await client.enqueue(Weather, { city: 'Lima' }, { name: 'by hand', tags: ['test'], queue: 'slow' });
  expect(await handle.result()).toBe('fine in Lima');
  expect(await handle.get()).toMatchObject({ name: 'by hand', tags: ['test'], queue: 'slow', epoch: 1, state: { name: 'Completed' } });
});

test('what a run failed with comes back as well', async () => {
  await work(Weather);
  const handle = await client.enqueue(Weather, { city: 'Atlantis' });
  await expect(handle.result()).rejects.toMatchObject({ code: 'RUN_FAILED', cause: { message: 'it has sunk' } });
});

test('ten thousand runs are submitted in one call', async () => {
  const ids = await client.enqueueMany(
    Weather,
    Array.from({ length: 10_000 }, (_, index) => ({ params: { city: `city ${index}` } })),
  );
  expect(new Set(ids).size).toBe(10_000);
  expect(await (await client.broker()).stats('default')).toMatchObject({ waiting: 10_000 });
});

test.each([
  ['parameters that do not fit', { params: { city: 7 } }, 'PARAMS_INVALID'],
  ['a queue that is no name', { params: { city: 'Lima' }, queue: 'a queue' }, 'NAME_INVALID'],
  ['a priority out of bounds', { params: { city: 'Lima' }, priority: 101 }, 'OPTION_INVALID'],
  ['a start that is no instant', { params: { city: 'Lima' }, startAt: new Date('soon') }, 'OPTION_INVALID'],
  ['a start that no date can hold', { params: { city: 'Lima' }, startAt: 1e18 }, 'OPTION_INVALID'],
  ['an empty name', { params: { city: 'Lima' }, name: '' }, 'OPTION_INVALID'],
  ['a name with NUL in it', { params: { city: 'Lima' }, name: 'Li\0ma' }, 'OPTION_INVALID'],
  ['a tag that is too long', { params: { city: 'Lima' }, tags: ['x'.repeat(201)] }, 'OPTION_INVALID'],
  ['an empty idempotency key', { params: { city: 'Lima' }, idempotencyKey: '' }, 'OPTION_INVALID'],
  ['an idempotency key that is too long', { params: { city: 'Lima' }, idempotencyKey: 'k'.repeat(501) }, 'OPTION_INVALID'],
])('of many runs none exists when one has %s', async (_what, wrong, code) => {
  await expect(client.enqueueMany(Weather, [{ params: { city: 'Lima' } }, wrong])).rejects.toMatchObject({ code });
  expect((await client.runs.list()).items).toEqual([]);
});

test('the name of no flow is refused, naming the nearest', async () => {
  await expect(client.enqueue('helo')).rejects.toMatchObject({ code: 'FLOW_NOT_FOUND', message: expect.stringContaining("'hello'") });
});

test('a run that is to start later waits until then, and is cancelled at once', async () => {
  await work(Weather);
  const startAt = new Date(Date.now() + 3_600_000);
  const handle = await client.enqueue(Weather, { city: 'Lima' }, { startAt });
  expect(await handle.get()).toMatchObject({ state: { name: 'Scheduled' }, scheduledFor: Number(startAt), dueAt: Number(startAt) });
  expect(await (await client.broker()).stats('default')).toMatchObject({ waiting: 0, delayed: 1 });
  const done = handle.done();
  await handle.cancel('not needed');
  expect((await done).state).toMatchObject({ name: 'Cancelled', message: 'not needed' });
});

test('a run that starts in a moment starts then', async () => {
  await work(Weather);
  const startAt = Date.now() + 300;
  const handle = await client.enqueue(Weather, { city: 'Lima' }, { startAt });
  await handle.result();
  expect((await handle.get()).startedAt).toBeGreaterThanOrEqual(startAt);
});

test('one key is one run, whatever else is asked; that its parameters were others is told', async () => {
  const warned: unknown[] = [];
  const log = {
    ...(await openLog({ level: 'silent', format: 'json' })),
    logger: pino({ level: 'warn' }, { write: (text: string) => void warned.push(JSON.parse(text)) }),
  };
  await client.close();
  client = await openLocalClient({ log, databaseUrl: `sqlite:${join(folder, 'batuta.db')}`, flows: ['flows'] });
  const first = await client.enqueue(Weather, { city: 'Lima' }, { idempotencyKey: 'today' });
  const second = await client.enqueue(Weather, { city: 'Quito' }, { idempotencyKey: 'today', priority: 5 });
  expect(second.id).toBe(first.id);
  expect((await client.runs.list()).items).toHaveLength(1);
  await client.enqueue(Weather, { city: 'Lima' }, { idempotencyKey: 'today', priority: 7 });
  expect(warned).toMatchObject([
    { run: first.id, flow: 'weather', idempotencyKey: 'today', msg: expect.stringContaining('with other parameters') },
  ]);
});

test('a worker names a flow that it does not know once, however many runs of it wait', async () => {
  const lines: unknown[] = [];
  const log = pino({ level: 'warn' }, { write: (text: string) => void lines.push(JSON.parse(text)) });
  const parts = { engine: client.engine, broker: await client.broker(), log, flows: new Map(), loggedUnknown: new Set<string>() };
  const ids = await client.enqueueMany(Weather, [{ params: { city: 'Lima' } }, { params: { city: 'Quito' } }]);
  for (const id of ids) await processTicket(parts, { kind: 'run', id, epoch: 0 });
  expect(lines).toMatchObject([{ run: ids[0], msg: 'This worker does not know the flow weather; its runs are left to others.' }]);
  for (const id of ids) expect((await client.runs.get(id)).state.message).toMatch(/^Waits for a worker that knows the flow weather/);
});

test('a flow that none of the workers at work knows is warned of at once, and only once', async () => {
  const lines: string[] = [];
  const log = await openLog({ level: 'warn', format: 'json', write: (text) => void lines.push(text) });
  const own = await openLocalClient({ log, databaseUrl: `sqlite:${join(folder, 'batuta.db')}` });
  const worker = { name: 'w', version: '0', host: 'h', pid: 1, queues: ['default'], concurrency: 1, startedAt: 0, running: 0, lagMs: 0 };
  await own.enqueue(Weather, { city: 'before any worker' });
  expect(lines).toEqual([]);
  await own.close();
  const other = await openLocalClient({ log, databaseUrl: `sqlite:${join(folder, 'batuta.db')}` });
  await other.engine.services.store.workers.beat({ ...worker, id: 'h:1:0', flows: { w: '1' } });
  for (const city of ['Lima', 'Quito']) await other.enqueue(Weather, { city });
  expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
    expect.stringContaining("No running worker knows the flow 'weather'"),
  ]);
  await other.close();
  const third = await openLocalClient({ log, databaseUrl: `sqlite:${join(folder, 'batuta.db')}` });
  await third.engine.services.store.workers.beat({ ...worker, id: 'h:2:0', flows: { weather: '1' } });
  await third.enqueue(Weather, { city: 'Cusco' });
  expect(lines).toHaveLength(1);
  await third.close();
});
