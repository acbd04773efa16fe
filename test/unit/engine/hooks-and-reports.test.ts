import { describe, expect, test } from 'vitest';
import { Flow, type FlowContext, type HookContext, On, Task, type TaskContext } from 'batuta';
import { testFlow } from 'batuta/testing';
import { systemClock } from '../../../src/base/clock.ts';
import { gate, makeFlow } from '../../support/make-flow.ts';
import { openEngine } from '../../support/open-engine.ts';

const told: string[] = [];

@Flow()
class Hooked {
  @Task()
  work(ctx: TaskContext<{ fails?: boolean }>): string {
    if (ctx.params.fails === true) throw new Error('it broke');
    return 'done';
  }

  @On('running')
  async begins(ctx: HookContext): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    told.push(`running ${ctx.state.name}`);
  }

  @On('completed')
  first(ctx: HookContext): void {
    told.push(`completed ${String(ctx.result)}`);
    throw new Error('the hook broke');
  }

  @On('completed')
  second(): void {
    told.push('second');
  }

  @On('failed')
  async broken(ctx: HookContext): Promise<void> {
    told.push(`failed ${ctx.error?.message}`);
    await Promise.reject(new Error('the hook broke too'));
  }
}

describe('hooks', () => {
  test('are called in order after the state is recorded; one that throws is logged and changes nothing', async () => {
    told.length = 0;
    const run = await testFlow(Hooked);
    expect(run.expectState('Completed').result).toBe('done');
    expect(told).toEqual(['running Running', 'completed done', 'second']);
    expect(run.logs.some((line) => line.message.includes('The hook first (on completed) threw'))).toBe(true);
  });

  test('of a failed run get its error; one that rejects changes nothing', async () => {
    told.length = 0;
    (await testFlow(Hooked, { fails: true })).expectState('Failed');
    expect(told).toEqual(['running Running', 'failed it broke']);
  });

  test('one that hangs is waited for 30 seconds and no longer', async () => {
    const waits: number[] = [];
    const sleep = async (ms: number): Promise<void> => void waits.push(ms);
    const { client } = await openEngine({ leaseClock: { ...systemClock, sleep } });
    @Flow()
    class Hangs {
      @Task()
      work(): number {
        return 1;
      }

      @On('completed')
      async hang(): Promise<void> {
        await gate().opened;
      }
    }
    const handle = await client.submit(Hangs);
    expect((await handle.done()).state.name).toBe('Completed');
    expect(waits).toEqual([30_000]);
    await client.close();
  });
});

describe('what a task reports', () => {
  test('the last progress and all metrics stand in its row', async () => {
    const run = await testFlow(
      makeFlow({
        work: {
          does: async ({ progress, metrics }: TaskContext) => {
            for (let done = 1; done <= 5; done++) {
              progress(done, 5);
              metrics.add('rows', 10);
              await new Promise((resolve) => setImmediate(resolve));
            }
            metrics.set('ratio', 0.5);
          },
        },
      }),
    );
    expect(run.inspection.taskRuns[0]).toMatchObject({ progress: { done: 5, total: 5 }, metrics: { rows: 50, ratio: 0.5 } });
  });

  test('tens of thousands of metrics cost a task as much as they are', async () => {
    const names = Array.from({ length: 40_000 }, (_, at) => (at === 7 ? '__proto__' : `rows of table ${at}`));
    const run = await testFlow(
      makeFlow({ work: { does: ({ metrics }: TaskContext) => names.forEach((name, at) => metrics.add(name, at)) } }),
    );
    expect(Object.entries(run.inspection.taskRuns[0]?.metrics ?? {})).toEqual(names.map((name, at) => [name, at]));
  });

  test('what is no number is refused', async () => {
    const run = await testFlow(
      makeFlow({
        a: { does: (ctx: TaskContext) => ctx.progress(Number.NaN) },
        b: { does: (ctx: TaskContext) => ctx.metrics.add('x', 'many' as unknown as number) },
      }),
    );
    run.expectTask('a', 'Failed').expectTask('b', 'Failed');
  });

  test('the first 1,000 rejected records are kept, all are counted', async () => {
    const does = (ctx: TaskContext): void => {
      for (let row = 0; row < 1_500; row++) ctx.reject({ row }, `bad ${row}`);
    };
    const run = await testFlow(makeFlow({ work: { does } }));
    const rejects = run.artifacts.find((artifact) => artifact.kind === 'rejects');
    expect(rejects?.data).toHaveLength(1_000);
    expect((rejects?.data as unknown[] | undefined)?.at(-1)).toEqual({ record: { row: 999 }, reason: 'bad 999' });
    expect(run.task('work').metrics).toEqual({ rejected: 1_500 });
  });

  test('the rejected records of a task that fails are kept as well: those of its last attempt', async () => {
    const does = (ctx: TaskContext): never => {
      ctx.reject({ attempt: ctx.task.attempt }, 'bad');
      throw new Error('too many');
    };
    const run = await testFlow(makeFlow({ work: { retries: 1, does } }));
    run.expectTask('work', 'Failed');
    expect(run.artifacts.map(({ kind, data }) => [kind, data])).toEqual([['rejects', [{ record: { attempt: 2 }, reason: 'bad' }]]]);
  });

  test('a rejected record that is no JSON does not take the others with it', async () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    const does = (ctx: TaskContext): void => {
      for (const record of [{ a: 1 }, 10n, circle, undefined]) ctx.reject(record, 'bad');
    };
    const run = await testFlow(makeFlow({ work: { does } }));
    const records = (run.artifacts[0]?.data as { record: unknown }[] | undefined)?.map(({ record }) => record);
    expect(records).toEqual([{ a: 1 }, '10n', expect.stringContaining('Circular'), null]);
  });

  test('artifacts are kept with their task; data that is no JSON fails it', async () => {
    const does = async ({ artifact }: TaskContext): Promise<void> => {
      await artifact.markdown('report', '# Done');
      await artifact.table('rows', [{ a: 1 }]);
      await artifact.link('page', 'https://example.com');
      await artifact.json('facts', { n: 1 });
    };
    const run = await testFlow(makeFlow({ work: { does }, bad: { does: (ctx: TaskContext) => ctx.artifact.json('facts', 1n) } }));
    expect(run.artifacts.map(({ kind, name, data }) => [kind, name, data])).toEqual([
      ['markdown', 'report', '# Done'],
      ['table', 'rows', [{ a: 1 }]],
      ['link', 'page', 'https://example.com'],
      ['json', 'facts', { n: 1 }],
    ]);
    expect(run.task('bad').error?.code).toBe('RESULT_NOT_SERIALIZABLE');
  });

  test('what the body of a code flow reports is kept with its run', async () => {
    @Flow()
    class Body {
      async run(_params: unknown, ctx: FlowContext): Promise<void> {
        ctx.reject({ id: 1 }, 'unknown');
        ctx.metrics.add('seen', 3);
        await ctx.artifact.json('mine', [1]);
      }
    }
    const run = await testFlow(Body);
    expect(run.artifacts.map(({ name, data }) => [name, data])).toEqual([
      ['mine', [1]],
      ['run', [{ record: { id: 1 }, reason: 'unknown' }]],
      ['metrics', { rejected: 1, seen: 3 }],
    ]);
  });
});
