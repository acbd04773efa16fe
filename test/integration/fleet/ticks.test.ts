/** Ticks that become runs and are executed, by loops and a consumer of this process. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Flow, Task, type TaskContext } from 'batuta';
import { openLocalClient } from '../../../src/client/open-local-client.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { openLog } from '../../../src/base/log.ts';
import { joinServices, type Service } from '../../../src/base/service.ts';
import { definitionOf } from '../../../src/define/definition.ts';
import { type Deployment, deploymentsChannel } from '../../../src/model/deployment.ts';
import type { Run } from '../../../src/model/run.ts';
import { stateOf } from '../../../src/model/state.ts';
import { materialiseLoop } from '../../../scheduler/loops/materialise.ts';
import { overlapLoop, releaseHeld } from '../../../src/upkeep/overlap.ts';
import { reclaimLoop } from '../../../src/upkeep/reclaim.ts';
import { processTicket } from '../../../worker/process-ticket.ts';
import { newRun } from '../../contract/store/rows.ts';
import { deploymentNamed, scheduleOf } from '../../support/deployments.ts';

interface Seen {
  readonly startedAt: number;
  readonly scheduledFor: number | undefined;
  readonly deployment: string | null;
  readonly city: string;
}
let seen: Seen[];
/** Called with each run that starts; the run goes on once it resolves. */
let whileRunning: (run: Seen, signal: AbortSignal) => Promise<void>;

@Flow({ name: 'weather' })
class Weather {
  @Task()
  async look({ run, params, signal }: TaskContext<{ city: string }>): Promise<void> {
    const facts = {
      startedAt: systemClock.now(),
      scheduledFor: run.scheduledFor?.getTime(),
      deployment: run.deployment,
      city: params.city,
    };
    seen.push(facts);
    await whileRunning(facts, signal);
  }
}

let folder: string;
let client: Awaited<ReturnType<typeof openLocalClient>>;
let loops: Service;
beforeEach(async () => {
  seen = [];
  whileRunning = async () => undefined;
  folder = mkdtempSync(join(tmpdir(), 'batuta-ticks-'));
  const log = await openLog({ level: 'silent', format: 'json' });
  client = await openLocalClient({ log, databaseUrl: `sqlite:${join(folder, 'batuta.db')}`, flows: ['flows'] });
  const { engine } = client;
  const broker = await client.broker();
  const parts = { engine, broker, log: log.logger };
  const flows = new Map([['weather', definitionOf(Weather)]]);
  const tickEnded = (deployment: string): void => void releaseHeld(parts, [deployment]).catch(() => undefined);
  broker.consume('default', { concurrency: 8 }, (ticket) => processTicket({ ...parts, flows, tickEnded }, ticket));
  // Two schedulers, as far as what they may do to each other goes; their nets are slow, so that only what is woken is on time.
  const scheduler = (): Service[] => [materialiseLoop(parts, { lookAheadMs: 5_000 }), overlapLoop(parts, { intervalMs: 60_000 })];
  loops = joinServices('loops', [...scheduler(), ...scheduler()]);
  await loops.start();
});
afterEach(async () => {
  await loops.stop();
  await client.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Ticks every so many milliseconds from `firstAt` on, `count` times; oftener than a user may ask for, so that tests are short. */
async function deploy(everyMs: number, count: number, changes: Partial<Deployment> = {}, jitterMs = 0): Promise<number> {
  const firstAt = systemClock.now() + 300;
  const rule = { timezone: 'UTC', start: firstAt, end: firstAt + everyMs * (count - 1) + 1, anchor: firstAt };
  const schedule = scheduleOf('weather', {
    schedule: { kind: 'interval', every: { ms: everyMs }, ...rule },
    nextTickAt: firstAt,
    jitterMs,
  });
  const deployment = deploymentNamed('weather', { flow: 'weather', source: null, params: '{"json":{"city":"Lima"}}', ...changes });
  await client.engine.services.store.deployments.put([{ deployment, schedules: [schedule], graph: null, spec: {} }]);
  await (await client.broker()).notify(deploymentsChannel, 'weather');
  return firstAt;
}

/** The runs of `weather` by their ticks, once there are so many. */
async function made(count: number): Promise<readonly Run[]> {
  for (;;) {
    const { items } = await client.runs.list({ deployment: 'weather' });
    if (items.length >= count) return items.toSorted((a, b) => (a.scheduledFor ?? 0) - (b.scheduledFor ?? 0));
    await systemClock.sleep(20);
  }
}

/** The runs of a deployment by their ticks, once there are so many and all have ended. */
async function ended(deployment: string, count: number): Promise<readonly Run[]> {
  for (;;) {
    const { items } = await client.runs.list({ deployment, limit: 1_000 });
    if (items.length >= count && items.every(({ endedAt }) => endedAt !== null))
      return items.toSorted((a, b) => (a.scheduledFor ?? 0) - (b.scheduledFor ?? 0));
    await systemClock.sleep(20);
  }
}

test('a deploy is seen at once: ticks of the very next moment start on their instant, none before it, each once', async () => {
  const firstAt = await deploy(200, 10);
  const runs = await ended('weather', 10);
  expect(runs.map(({ scheduledFor }) => scheduledFor)).toEqual(Array.from({ length: 10 }, (_, at) => firstAt + at * 200));
  expect(seen).toHaveLength(10);
  for (const { startedAt, scheduledFor = 0, deployment, city } of seen) {
    expect(startedAt).toBeGreaterThanOrEqual(scheduledFor);
    expect({ deployment, city }).toEqual({ deployment: 'weather', city: 'Lima' });
  }
});

test('a held run starts the moment the one before it ends, in the order of the ticks', async () => {
  let open = 0;
  let most = 0;
  whileRunning = async () => {
    most = Math.max(most, ++open);
    await systemClock.sleep(250);
    open -= 1;
  };
  await deploy(100, 6, { overlap: 'buffer-all' });
  const runs = await ended('weather', 6);
  expect(runs.map(({ state }) => state.name)).toEqual(Array.from({ length: 6 }, () => 'Completed'));
  expect(most).toBe(1);
  expect(seen.map(({ scheduledFor }) => scheduledFor)).toEqual(runs.map(({ scheduledFor }) => scheduledFor));
});

test('a tick that finds the last run at work is dropped with a row that says so', async () => {
  const skipped = async (): Promise<number> => (await client.runs.list({ states: ['Skipped'] })).items.length;
  whileRunning = async () => {
    while ((await skipped()) < 2) await systemClock.sleep(20);
  };
  await deploy(200, 3, { overlap: 'skip' });
  const runs = await ended('weather', 3);
  expect(runs.map(({ state }) => state.name)).toEqual(['Completed', 'Skipped', 'Skipped']);
  expect(runs[1]?.state.message).toContain(runs[0]?.name);
});

test('a tick takes the place of the run at work, which is cancelled first', async () => {
  whileRunning = async ({ scheduledFor = 0 }, signal) => {
    if (scheduledFor > firstAt) return;
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }));
  };
  const firstAt = await deploy(300, 2, { overlap: 'cancel-running' });
  const runs = await ended('weather', 2);
  expect(runs.map(({ state }) => state.name)).toEqual(['Cancelled', 'Completed']);
  expect(runs[0]?.state.message).toContain('A later tick took its place');
});

test('what jitter delays starts within its bounds, and not before its instant', async () => {
  await deploy(100, 10, {}, 300);
  const runs = await ended('weather', 10);
  const delays = runs.map(({ startedAt, scheduledFor }) => (startedAt ?? 0) - (scheduledFor ?? 0));
  expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
  expect(new Set(delays.map((ms) => Math.floor(ms / 50))).size).toBeGreaterThan(1);
});

test('a ticket that comes early starts nothing before its instant', async () => {
  const dueAt = systemClock.now() + 700;
  const early = newRun({ flow: 'weather', state: stateOf('SCHEDULED'), params: '{"json":{"city":"Lima"}}', deployment: 'weather', dueAt });
  await client.engine.services.store.fleet.insertMany([{ run: early, idempotencyKey: null }]);
  await (await client.broker()).put({ kind: 'run', id: early.id, epoch: 0 }, { queue: 'default' });
  const [run] = await ended('weather', 1);
  expect(run?.startedAt).toBeGreaterThanOrEqual(dueAt);
});

describe('a held run is let go at once when the one before it', () => {
  /** Ends the run before it; resolves once that is done. */
  const ends: Record<string, (before: Run) => Promise<unknown>> = {
    'is cancelled before anyone has it': ({ id }) => client.runs.cancel(id),
    'is deleted before anyone has it': ({ id }) => client.runs.delete(id, { force: true }),
    'is executed by who resumes it': async ({ id }) => {
      await (await client.submit(Weather, { city: 'Lima' })).done();
      await (await client.runs.resume(id)).done();
    },
    'crashes, its worker being lost': async ({ id }) => {
      const { store, log } = client.engine.services;
      const ghost = { id: 'ghost:1:1', host: 'elsewhere', pid: 1, processStartedAt: 1 };
      await store.fleet.claimMany([id], ghost, 1);
      const reclaim = reclaimLoop({ engine: client.engine, broker: await client.broker(), log }, { intervalMs: 20, maxRecoveries: 0 });
      await reclaim.start();
      while ((await client.runs.get(id)).endedAt === null) await systemClock.sleep(10);
      // Waits for the step that is under way.
      await reclaim.stop();
    },
  };

  test.each(Object.keys(ends))('%s', async (how) => {
    await deploy(100, 2, { overlap: 'buffer-all', queue: 'nobody' });
    const [first, second] = await made(2);
    if (!first || !second) throw new Error('Two runs were to be made.');
    expect((await client.runs.why(second.id))?.kind).toBe('overlap');
    await ends[how]?.(first);
    expect((await client.runs.get(second.id)).state.message).toBe('The runs before it have ended.');
  });
});
