import { describe, expect, test } from 'vitest';
import { Flow, Task, type TaskContext } from 'batuta';
import { testFlow } from 'batuta/testing';
import { failing, gate, makeFlow } from '../../support/make-flow.ts';

describe('a static graph', () => {
  test('a task starts the moment its last need is recorded, while others still run', async () => {
    const slow = gate();
    const Graph = makeFlow({
      quick: {},
      slow: { does: () => slow.opened },
      afterQuick: { needs: ['quick'], does: () => slow.open(undefined) },
      afterBoth: { needs: ['quick', 'slow'] },
    });
    const run = await testFlow(Graph);
    run.expectState('Completed').expectOrder('quick', 'afterQuick', 'afterBoth');
    const steps = run.inspection.transitions.map(
      ({ taskRunId, name }) => `${run.inspection.taskRuns.find((row) => row.id === taskRunId)?.name ?? 'run'} ${name}`,
    );
    expect(steps.indexOf('quick Completed')).toBeLessThan(steps.indexOf('afterQuick Running'));
    expect(steps.indexOf('afterQuick Running')).toBeLessThan(steps.indexOf('slow Completed'));
    expect(steps.indexOf('slow Completed')).toBeLessThan(steps.indexOf('afterBoth Running'));
  });

  test('the completion of a task and its result are on record before anything downstream starts', async () => {
    const seen: string[] = [];
    const Graph = makeFlow({ first: { does: () => 42 }, second: { needs: ['first'], does: () => void seen.push('second') } });
    const run = await testFlow(
      Graph,
      {},
      {
        onEvent: (event) => event.kind === 'task' && seen.push(`${event.taskRun.name} ${event.taskRun.state.name} ${event.taskRun.result}`),
      },
    );
    run.expectState('Completed');
    expect(seen.slice(1, 4)).toEqual(['first Completed {"json":42}', 'second Running null', 'second']);
  });

  test('results arrive as arguments in the order of needs, then the context', async () => {
    const Graph = makeFlow({
      a: { does: () => 'A' },
      b: { does: () => 'B' },
      join: { needs: ['b', 'a'], does: (b: string, a: string, ctx: TaskContext) => [b, a, ctx.task.name, ctx.run.flow] },
    });
    expect((await testFlow(Graph)).result).toEqual(['B', 'A', 'join', 'made']);
  });

  test('after orders without giving data', async () => {
    const Graph = makeFlow({ a: {}, b: { after: ['a'], does: (...args: unknown[]) => args.length } });
    const run = await testFlow(Graph);
    run.expectOrder('a', 'b');
    expect(run.result).toBe(1);
  });

  test('under a limit the task of higher priority starts first', async () => {
    const Graph = makeFlow({ low: { priority: -1 }, plain: {}, high: { priority: 5 }, higher: { priority: 9 } }, { maxParallelTasks: 1 });
    const run = await testFlow(Graph);
    expect(run.started).toEqual(['higher', 'high', 'plain', 'low']);
  });

  test('no more tasks than maxParallelTasks of the flow run at the same time', async () => {
    let now = 0;
    let most = 0;
    const does = async (): Promise<void> => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now--;
    };
    const Graph = makeFlow(Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`t${at}`, { does }])), { maxParallelTasks: 3 });
    (await testFlow(Graph)).expectState('Completed');
    expect(most).toBe(3);
  });

  test('a failed task fails the run when all that can still run has run', async () => {
    const Graph = makeFlow({
      breaks: { does: failing() },
      below: { needs: ['breaks'] },
      apart: { does: () => new Promise((resolve) => setImmediate(resolve)) },
      apartToo: { needs: ['apart'] },
    });
    const run = await testFlow(Graph);
    run.expectState('Failed').expectTask('below', 'UpstreamFailed', { attempts: 0 }).expectTask('apartToo', 'Completed');
    expect(run.error?.message).toBe('it broke');
    expect(run.state.message).toBe('Task breaks failed: it broke');
  });

  test('UpstreamFailed runs down a chain of 5,000 tasks', async () => {
    const tasks = Object.fromEntries(
      Array.from({ length: 5_000 }, (_, at) => [`t${at}`, at === 0 ? { does: failing() } : { needs: [`t${at - 1}`] }]),
    );
    const run = await testFlow(makeFlow(tasks));
    run.expectState('Failed').expectTask('t4999', 'UpstreamFailed', { attempts: 0 });
    expect(run.tasks.filter((task) => task.state.name === 'UpstreamFailed')).toHaveLength(4_999);
  }, 60_000);

  test('the result is that of the only sink, of all sinks by name, or of the task that was named', async () => {
    const tasks = { a: {}, b: { needs: ['a'] }, c: { needs: ['a'] } };
    expect((await testFlow(makeFlow({ a: {}, b: { needs: ['a'] } }))).result).toBe('b');
    expect((await testFlow(makeFlow(tasks))).result).toEqual({ b: 'b', c: 'c' });
    const named = await testFlow(makeFlow(tasks, { result: 'a' }));
    expect(named.result).toBe('a');
    expect(named.inspection.result).toBe('a');
  });

  test('when: false, and not a word of truth, skips a task and what needs it; when that throws fails it', async () => {
    const Graph = makeFlow({
      a: { does: () => 1 },
      no: { needs: ['a'], when: () => false },
      later: { needs: ['a'], when: async () => false },
      belowNo: { needs: ['no'] },
      yes: { needs: ['a'], when: (a: number, ctx: TaskContext) => a === 1 && ctx.task.name === 'yes' },
      throws: { needs: ['a'], when: failing('no idea') },
    });
    const run = await testFlow(Graph);
    run
      .expectTask('no', 'Skipped', { attempts: 0 })
      .expectTask('later', 'Skipped')
      .expectTask('belowNo', 'Skipped')
      .expectTask('yes', 'Completed');
    run.expectTask('throws', 'Failed').expectState('Failed');
    expect(run.task('throws').error?.message).toBe('no idea');
  });

  test('a value that is kept in memory only reaches the next task as it is, and leaves no record', async () => {
    class Connection {}
    const connection = new Connection();
    const Graph = makeFlow({
      open: { persist: false, does: () => connection },
      use: { needs: ['open'], does: (given: unknown) => given === connection },
    });
    const run = await testFlow(Graph);
    expect(run.result).toBe(true);
    expect(run.inspection.taskRuns.find((row) => row.name === 'open')).toMatchObject({ result: null, resultRef: null });
  });

  test('a flow gives what its tasks keep in memory only, but does not record it', async () => {
    const Graph = makeFlow({ handle: { persist: false, does: () => () => 'live' }, rows: { does: () => [1, 2] } });
    const run = await testFlow(Graph);
    expect(run.expectState('Completed').result).toMatchObject({ rows: [1, 2], handle: expect.any(Function) });
    expect(run.inspection.result).toEqual({ rows: [1, 2] });
  });

  test('methods reach helpers, fields and private fields by this, and inherited tasks run too', async () => {
    class Base {
      #calls = 0;
      readonly factor = 3;

      @Task()
      async first(): Promise<number> {
        return this.double(++this.#calls);
      }

      protected double(value: number): number {
        return value * 2;
      }
    }

    @Flow()
    class Derived extends Base {
      #offset = 10;

      @Task({ needs: ['first'] })
      async second(first: number): Promise<number> {
        return first * this.factor + this.#offset;
      }

      protected override double(value: number): number {
        return value * 4;
      }
    }
    const run = await testFlow(Derived);
    expect(run.started).toEqual(['first', 'second']);
    expect(run.result).toBe(22);
  });

  test('a class whose constructor throws fails its run and leaves nothing open', async () => {
    @Flow()
    class Broken {
      readonly setting = failing('no setting')();

      @Task()
      work(): number {
        return 1;
      }
    }
    const run = await testFlow(Broken);
    run.expectState('Failed');
    expect(run.error?.message).toBe('no setting');
  });

  test('a listener that throws changes nothing', async () => {
    const run = await testFlow(makeFlow({ a: {} }), {}, { onEvent: failing('curious') });
    run.expectState('Completed');
  });
});
