/** Spread tasks between an owner and workers of one process: what travels, and what is recorded. */
import { Flow, Task, type FlowContext, type TaskContext } from 'batuta';
import { expect, test } from 'vitest';
import type { TaskRun } from '../../../src/model/run.ts';
import { failing, makeFlow } from '../../support/make-flow.ts';
import { until } from '../../support/room.ts';
import { type Node, openNode, runOn } from './spread-node.ts';

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

test('spread tasks that nothing can want any more are ended: without a worker, or waiting at one', async () => {
  @Flow()
  class Overtaken {
    async run(_: unknown, ctx: FlowContext): Promise<string> {
      void this.nobody();
      void this.later();
      void this.limited();
      await ctx.waitFor('go');
      return 'early';
    }
    @Task({ queue: 'unserved' })
    async nobody(): Promise<void> {
      // No worker takes it.
    }
    @Task({ spread: true, retries: 1, retryDelay: '20s' })
    async later(): Promise<void> {
      throw new Error('not yet');
    }
    @Task({ spread: true, tags: ['api'] })
    async limited(): Promise<void> {
      // Its limit lets nothing begin.
    }
  }
  const node = await openNode([Overtaken]);
  await node.client.limits.set('tag:api', 0);
  const handle = await node.client.submit(Overtaken);
  const states = async (): Promise<string[]> =>
    (await node.store.taskRuns.ofRun(handle.id)).map(({ name, state }) => `${name} ${state.name}`).toSorted();
  await until(async () => {
    await node.store.recorder.flush();
    return String(await states()) === 'later AwaitingRetry,limited AwaitingSlot,nobody Scheduled,signal:go Suspended';
  });
  await node.client.runs.signal(handle.id, 'go', 1);
  expect(await handle.result()).toBe('early');
  expect(await states()).toEqual(['later Cancelled', 'limited Cancelled', 'nobody Cancelled', 'signal:go Completed']);
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
