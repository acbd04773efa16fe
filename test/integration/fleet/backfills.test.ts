/** Backfills over an embedded store: begun by a client, gone on with by schedulers, executed by a worker. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Flow, Task, type TaskContext } from 'batuta';
import { openLocalClient } from '../../../src/client/open-local-client.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { openLog } from '../../../src/base/log.ts';
import type { Service } from '../../../src/base/service.ts';
import type { BackfillSpec, BackfillView } from '../../../src/client/deployments-client.ts';
import { definitionOf } from '../../../src/define/definition.ts';
import { backfillLoop } from '../../../scheduler/loops/backfill.ts';
import { processTicket } from '../../../worker/process-ticket.ts';

/** Days on which the flow fails, and what it has seen: `start 1`, `end 1`. */
const broken = new Set<number>();
const seen: string[] = [];
let atOnce = 0;
let mostAtOnce = 0;

@Flow({ name: 'daily', params: z.object({ region: z.string().default('eu') }) })
class Daily {
  @Task()
  async day({ run, params, signal }: TaskContext<{ region: string }>): Promise<string> {
    const day = run.scheduledFor?.getUTCDate() ?? 0;
    mostAtOnce = Math.max(mostAtOnce, ++atOnce);
    seen.push(`${day}`);
    try {
      if (params.region === 'slow')
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
      await new Promise((resolve) => setImmediate(resolve));
      if (broken.has(day)) throw new Error(`day ${day} is broken`);
      return `${params.region} ${run.deployment} ${day}`;
    } finally {
      atOnce -= 1;
    }
  }
}

let folder: string;
let client: Awaited<ReturnType<typeof openLocalClient>>;
let schedulers: Service[];
beforeEach(async () => {
  broken.clear();
  seen.length = mostAtOnce = atOnce = 0;
  schedulers = [];
  folder = mkdtempSync(join(tmpdir(), 'batuta-backfill-'));
  const log = await openLog({ level: 'silent', format: 'json' });
  client = await openLocalClient({ log, databaseUrl: `sqlite:${join(folder, 'batuta.db')}`, flows: ['flows'] });
  await client.deployments.deploy([{ flow: Daily, schedules: [{ slug: 'nightly', cron: '0 0 * * *', params: { region: 'us' } }] }]);
});
afterEach(async () => {
  for (const scheduler of schedulers) await scheduler.stop();
  await client.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Takes tickets in this process, as a worker would, and tells of ends. */
async function work(): Promise<void> {
  const { engine } = client;
  const broker = await client.broker();
  const backfillRunEnded = (id: string): void => void broker.notify('backfills', id);
  const parts = { engine, broker, log: engine.services.log, flows: new Map([['daily', definitionOf(Daily)]]), backfillRunEnded };
  broker.consume('default', { concurrency: 8 }, (ticket) => processTicket(parts, ticket));
}

async function schedule(): Promise<void> {
  const { engine } = client;
  const loop = backfillLoop({ engine, broker: await client.broker(), log: engine.services.log }, { intervalMs: 50 });
  schedulers.push(loop);
  await loop.start();
}

const january = (changes: Partial<BackfillSpec> = {}): BackfillSpec => ({
  deployment: 'daily',
  fromAt: Date.UTC(2025, 0, 1),
  untilAt: Date.UTC(2025, 0, 11),
  ...changes,
});
const ended = async (id: string): Promise<BackfillView> => {
  await expect.poll(async () => (await client.backfills.get(id)).endedAt, { timeout: 20_000, interval: 20 }).not.toBeNull();
  return await client.backfills.get(id);
};
const days = (from: number, to: number): string[] =>
  Array.from({ length: Math.abs(to - from) + 1 }, (_, at) => String(from < to ? from + at : from - at));

test('each tick has one run, in order, with its logical date and the parameters of the schedule', async () => {
  await work();
  await schedule();
  await schedule();
  const begun = await client.backfills.start(january());
  expect(begun).toMatchObject({ deployment: 'daily', schedule: 'nightly', total: 10, maxParallel: 1, order: 'oldest', endedAt: null });
  expect(await ended(begun.id)).toMatchObject({ total: 10, waiting: 0, running: 0, completed: 10, failed: 0, cancelled: 0 });
  expect([seen, mostAtOnce]).toEqual([days(1, 10), 1]);
  const { items } = await client.runs.list({ deployment: 'daily' });
  expect(items).toHaveLength(10);
  expect(items.every((run) => run.backfillId === begun.id && run.scheduleId === null && run.dueAt === null)).toBe(true);
  const newest = items.find((run) => run.scheduledFor === Date.UTC(2025, 0, 10));
  expect((await client.runs.inspect(newest?.id ?? '')).result).toBe('us daily 10');
});

test('runs go on as many at a time as was said, and newest first when that was said', async () => {
  await work();
  await schedule();
  await schedule();
  const { id } = await client.backfills.start(january({ order: 'newest', maxParallel: 3 }));
  expect(await ended(id)).toMatchObject({ completed: 10, waiting: 0 });
  expect(mostAtOnce).toBeLessThanOrEqual(3);
  expect(seen.toSorted((a, b) => Number(a) - Number(b))).toEqual(days(1, 10));
  expect(seen.slice(0, 3).every((day) => Number(day) >= 6)).toBe(true);
});

test('what failed is run again by a resume, once, and what completed is not', async () => {
  broken.add(3).add(7);
  await work();
  await schedule();
  const { id } = await client.backfills.start(january({ maxParallel: 4 }));
  expect(await ended(id)).toMatchObject({ completed: 8, failed: 2 });
  broken.delete(3);
  seen.length = 0;
  expect(await client.backfills.resume(id.slice(0, 18))).toMatchObject({ endedAt: null });
  expect(await ended(id)).toMatchObject({ completed: 9, failed: 1 });
  expect(seen.sort()).toEqual(['3', '7']);
});

test('a cancel ends what goes on and makes no more, and a resume makes the rest', async () => {
  await client.deployments.deploy([{ flow: Daily, params: { region: 'slow' }, schedules: [{ slug: 'nightly', cron: '0 0 * * *' }] }]);
  await work();
  await schedule();
  const { id } = await client.backfills.start(january({ maxParallel: 2 }));
  await expect.poll(() => seen.length).toBe(2);
  expect((await client.backfills.cancel(id)).cancelRequestedAt).not.toBeNull();
  expect(await ended(id)).toMatchObject({ total: 10, cancelled: 2, completed: 0, running: 0, waiting: 8 });
  await expect(client.backfills.cancel(id)).rejects.toMatchObject({ code: 'RUN_STATE_REFUSED' });
  await client.deployments.deploy([{ flow: Daily, schedules: [{ slug: 'nightly', cron: '0 0 * * *' }] }]);
  await client.runs.deleteMany({ filter: { deployment: 'daily' } });
  await client.backfills.resume(id);
  expect(await ended(id)).toMatchObject({ completed: 8, cancelled: 0 });
});

test('with no scheduler at work nothing is lost: the next one goes on', async () => {
  await work();
  const { id } = await client.backfills.start(january({ maxParallel: 2 }));
  await expect.poll(async () => (await client.backfills.get(id)).completed).toBe(2);
  expect(await client.backfills.get(id)).toMatchObject({ waiting: 8, endedAt: null });
  await schedule();
  expect(await ended(id)).toMatchObject({ completed: 10 });
});

test('a backfill whose deployment is deleted is cancelled', async () => {
  const { id } = await client.backfills.start(january());
  await client.deployments.delete('daily');
  await work();
  await schedule();
  expect(await ended(id)).toMatchObject({ completed: 1, cancelRequestedAt: expect.any(Number) });
  await expect(client.backfills.resume(id)).rejects.toMatchObject({ code: 'DEPLOYMENT_NOT_FOUND' });
});

test('a preview tells how many runs there would be, and the first and last ticks, and makes none', async () => {
  const preview = await client.backfills.preview(january({ untilAt: Date.UTC(2025, 11, 31) }));
  expect([preview.total, preview.exact, preview.first.length, preview.last.length]).toEqual([364, true, 100, 100]);
  expect([preview.first[0], preview.last.at(-1)]).toEqual([Date.UTC(2025, 0, 1), Date.UTC(2025, 11, 30)]);
  expect((await client.backfills.list()).items).toEqual([]);
});

test('nothing is made of ticks that lie ahead', async () => {
  await client.deployments.deploy([{ flow: Daily, name: 'yearly', schedules: [{ cron: '0 0 1 1 *' }] }]);
  const spec = { deployment: 'yearly', fromAt: Date.UTC(2020, 5, 1), untilAt: Date.UTC(2600, 5, 1) };
  const years = new Date().getUTCFullYear() - 2020;
  expect(await client.backfills.preview(spec)).toMatchObject({ total: years, exact: true });
  const { untilAt, total } = await client.backfills.start(spec);
  expect({ total, lies: untilAt <= Date.now() ? 'behind' : 'ahead' }).toEqual({ total: years, lies: 'behind' });
});

test('a million runs are refused unasked, and begin at once when asked for, none held ahead of its place', async () => {
  await client.deployments.deploy([{ flow: Daily, name: 'minutes', schedules: [{ cron: '* * * * *' }] }]);
  const spec = { deployment: 'minutes', fromAt: Date.UTC(2023, 0, 1), untilAt: Date.UTC(2025, 0, 1), maxParallel: 5 };
  await expect(client.backfills.start(spec)).rejects.toMatchObject({
    code: 'BACKFILL_TOO_LARGE',
    message: expect.stringMatching(/would make about 1,05\d,\d{3} runs/),
  });
  const begun = await client.backfills.start(spec, { allowLarge: true });
  expect((await client.runs.list({ deployment: 'minutes', limit: 1000 })).items).toHaveLength(5);
  expect(begun.waiting).toBe(begun.total);
  await client.backfills.cancel(begun.id);
  expect(await client.backfills.get(begun.id)).toMatchObject({ cancelled: 5, endedAt: expect.any(Number) });
});

test.each<[string, Partial<BackfillSpec>, string, string]>([
  ['an unknown deployment', { deployment: 'dayly' }, 'DEPLOYMENT_NOT_FOUND', "'daily'"],
  ['an unknown schedule', { schedule: 'nightl' }, 'DEPLOYMENT_NOT_FOUND', "'nightly'"],
  ['an end before its beginning', { untilAt: 0 }, 'OPTION_INVALID', 'to a later one'],
  ['an instant that is none', { fromAt: Number.NaN }, 'OPTION_INVALID', 'fromAt'],
  ['no run at a time', { maxParallel: 0 }, 'OPTION_INVALID', 'at a time'],
  ['a beginning that lies ahead', { fromAt: Date.UTC(2300, 0, 1), untilAt: Date.UTC(2300, 0, 2) }, 'OPTION_INVALID', 'is in the future'],
  ['no tick in it', { fromAt: Date.UTC(2025, 0, 1) + 1, untilAt: Date.UTC(2025, 0, 2) }, 'OPTION_INVALID', 'has no tick from'],
])('given %s says so, and nothing is made', async (_what, wrong, code, part) => {
  await expect(client.backfills.start(january(wrong))).rejects.toMatchObject({ code, message: expect.stringContaining(part) });
  expect((await client.backfills.list()).items).toEqual([]);
});

test('a deployment without a schedule, or with several, has none to go over unless one is named', async () => {
  await client.deployments.deploy([
    { flow: Daily, name: 'none' },
    { flow: Daily, name: 'two', schedules: [{ cron: '@daily' }, { interval: '6h' }] },
  ]);
  await expect(client.backfills.start(january({ deployment: 'none' }))).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  await expect(client.backfills.start(january({ deployment: 'two' }))).rejects.toMatchObject({
    message: expect.stringContaining('cron, interval'),
  });
  expect(await client.backfills.preview(january({ deployment: 'two', schedule: 'interval' }))).toMatchObject({ total: 40 });
  await expect(client.backfills.get('0000')).rejects.toMatchObject({ code: 'BACKFILL_NOT_FOUND' });
});
