/** Spread tasks between an owner and workers of one process: what travels, what is recorded, what a lost ticket or a shutdown does. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Flow, Task, type FlowClass, type FlowContext, type TaskContext } from 'batuta';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { reissueTasksLoop } from '../../../scheduler/loops/reissue-tasks.ts';
import type { Loop } from '../../../src/base/loop.ts';
import { systemClock } from '../../../src/base/clock.ts';
import type { Broker } from '../../../src/broker/broker.ts';
import { openBroker } from '../../../src/broker/open.ts';
import { definitionOf } from '../../../src/define/definition.ts';
import type { EngineSettings } from '../../../src/engine/services.ts';
import { TaskExecutor } from '../../../src/engine/task-executor.ts';
import { taskQueueOf } from '../../../src/model/queue.ts';
import type { Run, TaskRun } from '../../../src/model/run.ts';
import { FleetSpread } from '../../../worker/fleet-spread.ts';
import { makeFaulty } from '../../support/faulty-broker.ts';
import { failing, gate, makeFlow } from '../../support/make-flow.ts';
import { type OpenEngine, openEngine } from '../../support/open-engine.ts';

const log = pino({ level: 'silent' });

interface Node extends OpenEngine {
  readonly broker: Broker;
  readonly tasks: TaskExecutor;
  /** Takes no more tasks and gives back those it has. */
  leave(): Promise<void>;
  close(): Promise<void>;
}

let folder: string;
const open: Node[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'batuta-spread-'));
});
afterEach(async () => {
  for (const node of open.splice(0)) await node.close();
  rmSync(folder, { recursive: true, force: true });
});

interface NodeOptions {
  readonly settings?: Partial<EngineSettings>;
  /** Faults of its broker, by this seed. */
  readonly faulty?: number;
  readonly queues?: readonly string[];
}

/** A store, an engine and a broker as a worker has them; it takes spread tasks of these flows, and runs are submitted to it. */
async function openNode(flows: readonly FlowClass[], { settings = {}, faulty, queues = ['default'] }: NodeOptions = {}): Promise<Node> {
  const spread = new FleetSpread({ clock: systemClock, log });
  const opened = await openEngine({ url: `sqlite:${join(folder, 'batuta.db')}`, results: join(folder, 'results'), settings, spread });
  const real = await openBroker({ url: null, store: opened.store });
  const broker = faulty === undefined ? real : makeFaulty(real, { seed: faulty, drop: 0.3, repeat: 0.3, delay: 0.3, reorder: true });
  spread.connect(broker);
  const known = new Map(flows.map((flow) => [definitionOf(flow).name, definitionOf(flow)]));
  const tasks = new TaskExecutor({ services: opened.engine.services, spread, flows: known });
  const consumer =
    queues.length === 0 ? null : broker.consume(queues.map(taskQueueOf), { concurrency: 4 }, (ticket) => tasks.execute(ticket.id));
  const loop: Loop = reissueTasksLoop({ engine: opened.engine, broker, log }, { intervalMs: 50 });
  await loop.start();
  const node = {
    ...opened,
    broker,
    tasks,
    leave: async () => {
      await consumer?.quiet();
      await tasks.handBack(0);
    },
    async close() {
      await loop.stop();
      await tasks.handBack(0);
      await opened.client.close({ graceMs: 0 });
      await broker.close();
    },
  };
  open.push(node);
  return node;
}

async function runOn(node: Node, flow: FlowClass, params: unknown = {}): Promise<{ run: Run; result: unknown; rows: readonly TaskRun[] }> {
  const handle = await node.client.submit(flow, params);
  const run = await handle.done();
  const result = await handle.result().catch((error: unknown) => error);
  return { run, result, rows: await node.store.taskRuns.ofRun(run.id) };
}

/** Who recorded the states of a task run. */
const writers = async ({ store }: Node, row: TaskRun | undefined): Promise<(string | null)[]> =>
  (await store.transitions.ofRun(row?.runId ?? '', row?.id ?? '')).map(
    ({ name, owner }) => `${name} ${owner === null ? 'offered' : 'by a worker'}`,
  );

test('arguments travel: an item, a result by its name, the context, a list of mapped results, nothing from what was skipped', async () => {
  const flow = makeFlow({
    large: { does: () => 'x'.repeat(400_000) },
    list: { does: () => [new Date(0), new Date(86_400_000)] },
    nothing: { when: () => false },
    memory: { persist: false, does: () => 7 },
    each: {
      each: 'list',
      needs: ['large', 'memory'],
      spread: true,
      does: (day: Date, large: string, memory: number, ctx: TaskContext) =>
        `${day.getUTCDate()} ${large.length} ${memory} ${ctx.task.index}`,
    },
    all: {
      needs: ['each', 'nothing'],
      trigger: 'allDone',
      spread: true,
      does: (each: string[], nothing: unknown, ctx: TaskContext<{ month: string }>) => [...each, nothing === undefined, ctx.params.month],
    },
  });
  const node = await openNode([flow]);
  const { result, rows } = await runOn(node, flow, { month: '01' });
  expect(result).toEqual(['1 400000 7 0', '2 400000 7 1', true, '01']);
  expect(
    await writers(
      node,
      rows.find(({ name }) => name === 'all'),
    ),
  ).toEqual(['Scheduled offered', 'Running by a worker', 'Completed by a worker']);
});

test('a large result of a spread task and a large input reach whoever needs them, and are removed with the run', async () => {
  @Flow()
  class LargeCode {
    async run(): Promise<number> {
      return (await this.twice('y'.repeat(300_000))).length;
    }
    @Task({ spread: true })
    async twice(text: string): Promise<string> {
      return text + text;
    }
  }
  const node = await openNode([LargeCode]);
  const { run, result } = await runOn(node, LargeCode);
  expect(result).toBe(600_000);
  expect(await node.store.resultRefs(run.id)).toHaveLength(2);
});

test('a spread task is retried by the worker that has it, and its last error reaches the flow', async () => {
  let attempts = 0;
  const flow = makeFlow({
    flaky: {
      spread: true,
      retries: 2,
      does: () => {
        if (++attempts < 3) throw new Error(`attempt ${attempts}`);
        return attempts;
      },
    },
    broken: { spread: true, retries: 1, does: failing('it broke for good') },
  });
  const node = await openNode([flow]);
  const { run, rows } = await runOn(node, flow);
  expect(run.state).toMatchObject({ type: 'FAILED', message: 'Task broken failed: it broke for good' });
  expect(rows.find(({ name }) => name === 'flaky')).toMatchObject({ attempt: 3, state: { type: 'COMPLETED' } });
  expect(rows.find(({ name }) => name === 'broken')).toMatchObject({
    attempt: 2,
    state: { type: 'FAILED' },
    error: { message: 'it broke for good' },
  });
});

test('what a spread task reports is recorded as at home: progress, metrics, artifacts, rejects, its log, its name, its timeout', async () => {
  const flow = makeFlow({
    reports: {
      spread: true,
      runName: 'reports of {month}',
      does: async (ctx: TaskContext) => {
        ctx.progress(1, 2);
        ctx.metrics.add('rows', 3);
        ctx.reject({ row: 1 }, 'bad');
        ctx.log.warn('seen');
        await ctx.artifact.json('found', [1]);
      },
    },
    slow: { spread: true, timeout: '50ms', does: () => new Promise(() => undefined) },
    skipped: { spread: true, when: () => false },
  });
  const node = await openNode([flow]);
  const { run, rows } = await runOn(node, flow, { month: '02' });
  const row = rows.find(({ name }) => name === 'reports');
  expect(row).toMatchObject({ displayName: 'reports of 02', progress: { done: 1, total: 2 }, metrics: { rows: 3, rejected: 1 } });
  expect((await node.store.artifacts.ofRun(run.id)).map(({ kind, taskRunId }) => [kind, taskRunId])).toEqual([
    ['json', row?.id],
    ['rejects', row?.id],
  ]);
  expect(await node.store.logs.ofRun(run.id, { taskRunId: row?.id ?? '' })).toMatchObject([{ message: 'seen' }]);
  expect(rows.find(({ name }) => name === 'slow')?.state).toMatchObject({ type: 'FAILED', name: 'TimedOut' });
  expect(rows.find(({ name }) => name === 'skipped')?.state).toMatchObject({ type: 'COMPLETED', name: 'Skipped' });
});

test('no more are offered at a time than eachLimit and the flow allow', async () => {
  let now = 0;
  let most = 0;
  const flow = makeFlow(
    {
      list: { does: () => [1, 2, 3, 4, 5, 6, 7, 8] },
      each: {
        each: 'list',
        eachLimit: 2,
        spread: true,
        does: async () => {
          most = Math.max(most, ++now);
          await new Promise((resolve) => setImmediate(resolve));
          now--;
        },
      },
    },
    { concurrency: 3 },
  );
  const node = await openNode([flow]);
  expect((await runOn(node, flow)).run.state.type).toBe('COMPLETED');
  expect(most).toBeLessThanOrEqual(2);
});

test('calls of a code flow that were recorded are not made again, whoever made them', async () => {
  let calls = 0;
  @Flow({ retries: 1 })
  class Twice {
    async run(_params: unknown, ctx: FlowContext): Promise<number> {
      const sum = (await this.part(1)) + (await this.part(2));
      if (ctx.run.attempt === 1) throw new Error('once more');
      return sum;
    }
    @Task({ spread: true })
    async part(value: number): Promise<number> {
      calls++;
      return value;
    }
  }
  const node = await openNode([Twice]);
  expect((await runOn(node, Twice)).result).toBe(3);
  expect(calls).toBe(2);
});

test('inputs that cannot travel fail their task with the reason', async () => {
  @Flow()
  class Opaque {
    async run(): Promise<void> {
      await this.call(() => 1);
    }
    @Task({ spread: true })
    async call(_make: () => number): Promise<void> {}
  }
  const node = await openNode([Opaque]);
  const { run, rows } = await runOn(node, Opaque);
  expect(run.state.type).toBe('FAILED');
  expect(rows).toMatchObject([{ state: { type: 'FAILED' }, error: { code: 'RESULT_NOT_SERIALIZABLE' } }]);
});

test('whatever the broker does to tickets and news, each item is executed once and the run completes', async () => {
  const executed = new Map<number, number>();
  const flow = makeFlow({
    list: { does: () => Array.from({ length: 60 }, (_, index) => index) },
    each: { each: 'list', spread: true, does: (item: number) => void executed.set(item, (executed.get(item) ?? 0) + 1) },
  });
  const settings = { leaseMs: 1_000, heartbeatMs: 200 };
  const [node] = await Promise.all([openNode([flow], { faulty: 1, settings }), openNode([flow], { faulty: 2, settings })]);
  if (!node) throw new Error('There is no node.');
  expect((await runOn(node, flow)).run.state.type).toBe('COMPLETED');
  expect(executed.size).toBe(60);
  expect([...executed.values()].every((times) => times === 1)).toBe(true);
});

test('a worker that shuts down gives its tasks back, and another takes them', async () => {
  const started = gate();
  let attempts = 0;
  const flow = makeFlow({
    held: {
      spread: true,
      does: async (ctx: TaskContext) => {
        if (++attempts > 1) return attempts;
        started.open();
        return await new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)));
      },
    },
  });
  const owner = await openNode([flow], { queues: [] });
  const leaving = await openNode([flow]);
  const handle = await owner.client.submit(flow);
  await started.opened;
  await leaving.leave();
  await openNode([flow]);
  expect(await handle.done()).toMatchObject({ state: { type: 'COMPLETED' }, recoveries: 0 });
  expect(attempts).toBe(2);
});

test('a task that no worker of the queue knows waits for one that does, and says so', async () => {
  const flow = makeFlow({ rare: { spread: true } }, { name: 'rare' });
  const owner = await openNode([], {});
  const handle = await owner.client.submit(flow);
  const rows = (): Promise<readonly TaskRun[]> => owner.store.taskRuns.ofRun(handle.id);
  await expect.poll(async () => (await rows())[0]?.state.message).toBe('Waits for a worker that knows the flow rare.');
  await handle.cancel('Enough.');
  expect(await handle.done()).toMatchObject({ state: { type: 'CANCELLED' } });
  expect(await rows()).toMatchObject([{ state: { type: 'CANCELLED' } }]);
});

test('a flow that runs out of time ends its spread tasks with it', async () => {
  const stopped = gate();
  const flow = makeFlow(
    {
      endless: {
        spread: true,
        does: (ctx: TaskContext) =>
          new Promise((_, reject) => ctx.signal.addEventListener('abort', () => (stopped.open(), reject(ctx.signal.reason)))),
      },
    },
    { timeout: '300ms' },
  );
  const node = await openNode([flow]);
  const { run, rows } = await runOn(node, flow);
  expect(run.state).toMatchObject({ type: 'FAILED', name: 'TimedOut' });
  expect(rows).toMatchObject([{ state: { type: 'CANCELLED' } }]);
  await stopped.opened;
});

test('without workers a spread task runs where its run does', async () => {
  const flow = makeFlow({ here: { queue: 'gpu', does: () => 5 } });
  const { client } = await openEngine();
  try {
    expect(await (await client.submit(flow)).result()).toBe(5);
  } finally {
    await client.close();
  }
});
