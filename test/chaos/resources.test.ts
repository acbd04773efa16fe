/** Runs that end in every way there is, each with a connection, a file and a timer of its own and of its tasks: at the end nothing is left. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Flow, type FlowContext, resource, Task, type TaskContext } from 'batuta';
import type { EmbeddedClient, RunHandle } from '../../src/client/client.ts';
import { isLong } from '../support/chaos.ts';
import { openEngine } from '../support/open-engine.ts';

const runs = isLong ? 10_000 : 300;
const atOnce = 25;

let server: Server;
let folder: string;
const connected = new Set<Socket>();
/** What is open and what was: opened, and closed. */
const counts = { opened: 0, closed: 0, timers: 0 };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'batuta-test-'));
  server = createServer((socket) => {
    connected.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => connected.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function* openAll() {
  const socket = connect((server.address() as { port: number }).port, '127.0.0.1');
  socket.on('error', () => undefined);
  const isConnected = once(socket, 'connect');
  const own = await mkdtemp(join(folder, 'own-'));
  const timer = setInterval(() => undefined, 1_000);
  counts.opened++;
  counts.timers++;
  try {
    await isConnected;
    yield own;
  } finally {
    clearInterval(timer);
    counts.timers--;
    const closed = once(socket, 'close');
    socket.destroy();
    await closed;
    await rm(own, { recursive: true });
    counts.closed++;
  }
}

const ofWorker = resource('of-worker', openAll, { scope: 'worker' });
const ofRun = resource('of-run', openAll);
const ofTask = resource(
  'of-task',
  async function* (ctx) {
    await ctx.use(ofRun);
    yield* openAll();
  },
  { scope: 'task' },
);
const broken = resource(
  'broken',
  async (ctx) => {
    await ctx.use(ofTask);
    throw new Error('it cannot be opened');
  },
  { scope: 'task' },
);

const ways = [
  'completes',
  'fails',
  'throws',
  'times out',
  'hangs',
  'is cancelled',
  'is stubborn',
  'cannot open',
  'retries',
  'waits',
] as const;
type Way = (typeof ways)[number];

@Flow({ timeout: 400 })
class Ends {
  @Task({ timeout: 60, retries: 1, retryIf: (error) => (error as Error).message === 'once' })
  async work(way: Way, ctx: TaskContext): Promise<string> {
    await Promise.all([ctx.use(ofWorker), ctx.use(ofRun), ctx.use(ofTask)]);
    if (way === 'fails') throw new Error('it broke');
    if (way === 'retries' && ctx.task.attempt === 1) throw new Error('once');
    if (way === 'cannot open') await ctx.use(broken);
    if (way === 'times out') await new Promise(() => undefined);
    if (way === 'is cancelled')
      await new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason as Error)));
    return way;
  }

  @Task()
  async stay(_way: Way, ctx: TaskContext): Promise<void> {
    await ctx.use(ofTask);
    await new Promise(() => undefined);
  }

  async run({ way }: { way: Way }, ctx: FlowContext): Promise<string> {
    await ctx.use(ofRun);
    if (way === 'throws') throw new Error('the body broke');
    if (way === 'hangs' || way === 'is stubborn') await this.stay(way, ctx);
    if (way === 'waits') await ctx.sleep(30);
    return this.work(way, ctx);
  }
}

async function end(client: EmbeddedClient, way: Way): Promise<string> {
  const handle: RunHandle = await client.submit(Ends, { way });
  if (way.startsWith('is ')) setTimeout(() => void client.runs.cancel(handle.id).catch(() => undefined), 20);
  return (await handle.done()).state.name;
}

test(
  `${runs.toLocaleString('en-US')} runs that end in every way leave no connection, no file and no timer`,
  async () => {
    const { client } = await openEngine({ settings: { graceMs: 50 } });
    const seen = new Set<string>();
    let begun = 0;
    const next = async (): Promise<void> => {
      while (begun < runs) seen.add(await end(client, ways[begun++ % ways.length] as Way));
    };
    await Promise.all(Array.from({ length: atOnce }, next));
    // What is left belongs to the process.
    expect(counts.opened - counts.closed).toBe(1);
    await Promise.all([client.submit(Ends, { way: 'hangs' }), client.submit(Ends, { way: 'waits' })]);
    await client.close({ graceMs: 0 });
    expect([...seen].sort()).toEqual(['Cancelled', 'Completed', 'Failed', 'TimedOut']);
    expect(counts).toMatchObject({ closed: counts.opened, timers: 0 });
    expect(counts.opened).toBeGreaterThan(runs);
    expect(readdirSync(folder)).toEqual([]);
    await expect.poll(() => connected.size).toBe(0);
  },
  isLong ? 1_200_000 : 60_000,
);
