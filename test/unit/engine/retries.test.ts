import { describe, expect, test } from 'vitest';
import type { TaskContext } from 'batuta';
import { fakeClock, type TestRun, testFlow } from 'batuta/testing';
import { failing, makeFlow, type TaskShape } from '../../support/make-flow.ts';

/** Fails until the attempt of that number. */
const until =
  (attempt: number) =>
  (ctx: TaskContext): number =>
    ctx.task.attempt < attempt ? failing(`attempt ${ctx.task.attempt}`)() : ctx.task.attempt;

const once = (shape: TaskShape, flow = {}): Promise<TestRun> => testFlow(makeFlow({ work: shape }, flow));

const statesOf = (run: TestRun, key = 'work'): string[] => {
  const row = run.inspection.taskRuns.find((task) => task.key === key);
  return run.inspection.transitions
    .filter(({ taskRunId }) => taskRunId === row?.id)
    .map(({ name, attempt, message }) => `${name} ${attempt}${message === null ? '' : `: ${message}`}`);
};

describe('retries of a task', () => {
  test('attempts are counted, and the error of each stays in the history', async () => {
    const run = await once({ retries: 5, retryDelay: '1s', does: until(3) });
    run.expectTask('work', 'Completed', { attempts: 3 });
    expect(run.task('work').error).toBeNull();
    expect(statesOf(run)).toEqual([
      'Running 1',
      'AwaitingRetry 1: attempt 1',
      'Retrying 2',
      'AwaitingRetry 2: attempt 2',
      'Retrying 3',
      'Completed 3',
    ]);
    expect(run.waitedMs).toBe(2_000);
  });

  test('after the last one the task fails with the last error', async () => {
    const run = await once({ retries: 2, does: until(9) });
    run.expectTask('work', 'Failed', { attempts: 3 });
    expect(run.error?.message).toBe('attempt 3');
  });

  test.each([
    ['fixed', { retryDelay: '1m' }, 3 * 60_000],
    ['a list whose last value repeats', { retryDelay: ['1s', '10s'] }, 21_000],
    ['exponential with a bound', { retryDelay: '1h', backoff: 'exponential', maxRetryDelay: '90m' }, 240 * 60_000],
    ['a function', { retryDelay: (attempt: number) => `${attempt} s` }, 6_000],
    ['jittered at its middle', { retryDelay: '10s', jitter: 1 }, 30_000],
  ] as const)('the waits are as declared: %s', async (_, shape, waitedMs) => {
    const run = await once({ retries: 3, ...(shape as TaskShape), does: until(4) });
    expect(run.expectState('Completed').waitedMs).toBe(waitedMs);
  });

  test('retryIf decides, plain or async, with the error and the failed attempt', async () => {
    const asked: unknown[] = [];
    const retryIf = (error: unknown, attempt: number): boolean => {
      asked.push((error as Error).message, attempt);
      return attempt < 2;
    };
    (await once({ retries: 9, retryIf, does: until(9) })).expectTask('work', 'Failed', { attempts: 2 });
    expect(asked).toEqual(['attempt 1', 1, 'attempt 2', 2]);
    (await once({ retries: 9, retryIf: async () => false, does: until(9) })).expectTask('work', 'Failed', { attempts: 1 });
  });

  test('retryIf that throws ends the retries with the error of the task; retryDelay that throws makes no wait', async () => {
    const broken = await once({ retries: 9, retryIf: failing('cannot tell'), does: until(9) });
    broken.expectTask('work', 'Failed', { attempts: 1 });
    expect(broken.error?.message).toBe('attempt 1');
    expect(broken.logs.some((line) => line.message.startsWith('retryIf threw'))).toBe(true);
    const eager = await once({ retries: 1, retryDelay: failing('no clock'), does: until(2) });
    expect(eager.expectTask('work', 'Completed', { attempts: 2 }).waitedMs).toBe(0);
  });

  test('a task that waits for its retry gives its place to others', async () => {
    const run = await testFlow(makeFlow({ shaky: { retries: 1, retryDelay: '1h', does: until(2) }, other: {} }, { maxParallelTasks: 1 }));
    expect(run.started).toEqual(['shaky', 'other']);
    const ends = run.inspection.taskRuns.toSorted((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0)).map((row) => row.name);
    expect(ends).toEqual(['other', 'shaky']);
  });
});

describe('timeouts', () => {
  test('a task is TimedOut while its code still goes on; its late result, progress and metrics change nothing', async () => {
    const clock = fakeClock();
    let late = false;
    let context: TaskContext | undefined;
    const does = async (ctx: TaskContext): Promise<string> => {
      context = ctx;
      await clock.sleep('1h');
      ctx.progress(9, 10);
      ctx.metrics.add('late');
      late = true;
      return 'too late';
    };
    const run = await testFlow(
      makeFlow({ work: { timeout: '1m', does }, keepsOn: { after: ['work'], trigger: 'allDone', does: () => clock.sleep('2h') } }),
      {},
      { clock },
    );
    run.expectState('Failed').expectTask('work', 'TimedOut', { attempts: 1 });
    expect(late).toBe(true);
    expect(context?.signal.aborted).toBe(true);
    expect(context?.signal.reason).toMatchObject({ code: 'TASK_TIMED_OUT' });
    expect(run.inspection.taskRuns.find((row) => row.name === 'work')).toMatchObject({
      result: null,
      progress: null,
      metrics: null,
      error: { code: 'TASK_TIMED_OUT' },
    });
  });

  test('a timeout is a failed attempt: the next one has a signal of its own', async () => {
    const clock = fakeClock();
    const signals: AbortSignal[] = [];
    const does = async (ctx: TaskContext): Promise<string> => {
      signals.push(ctx.signal);
      if (ctx.task.attempt === 1) await clock.sleep('1h');
      return 'in time';
    };
    const run = await testFlow(makeFlow({ work: { timeout: '1m', retries: 1, does } }), {}, { clock });
    run.expectTask('work', 'Completed', { attempts: 2 });
    expect(signals.map((signal) => signal.aborted)).toEqual([true, false]);
    expect(run.inspection.transitions.map(({ name }) => name)).toContain('AwaitingRetry');
  });

  test('the generator of a task that timed out is ended at its next yield', async () => {
    const clock = fakeClock();
    let ended = false;
    let yielded = 0;
    async function* does(): AsyncGenerator<number> {
      try {
        for (;;) {
          await clock.sleep('40s');
          yield yielded++;
        }
      } finally {
        ended = true;
      }
    }
    const run = await testFlow(
      makeFlow({ work: { timeout: '1m', does }, last: { after: ['work'], trigger: 'allDone', does: () => clock.sleep('2h') } }),
      {},
      { clock },
    );
    run.expectTask('work', 'TimedOut').expectTask('last', 'Completed');
    expect([yielded, ended]).toEqual([2, true]);
  });

  test('a flow that takes too long is TimedOut at once with all its tasks ended', async () => {
    const clock = fakeClock();
    const run = await testFlow(
      makeFlow({ slow: { does: () => clock.sleep('1 day') }, last: { needs: ['slow'] } }, { timeout: '1h', retries: 2 }),
      {},
      { clock },
    );
    run.expectState('TimedOut').expectTask('slow', 'Cancelled').expectTask('last', 'Cancelled', { attempts: 0 });
    expect(run.error?.code).toBe('FLOW_TIMED_OUT');
    const { startedAt, endedAt } = run.inspection.run;
    expect((endedAt ?? 0) - (startedAt ?? 0)).toBe(3_600_000);
  });
});

describe('retries of a flow', () => {
  test('run only what did not complete and keep the attempts that were recorded', async () => {
    const calls: string[] = [];
    const does =
      (name: string, failsUntil: number) =>
      (...args: unknown[]): string => {
        const ctx = args.at(-1) as TaskContext;
        calls.push(`${name} in ${ctx.run.attempt}`);
        if (ctx.run.attempt < failsUntil) throw new Error(`${name} broke`);
        return name;
      };
    const Graph = makeFlow(
      { a: { does: does('a', 1) }, b: { does: does('b', 3), needs: ['a'] }, c: { needs: ['b'], does: does('c', 1) } },
      { retries: 2, retryDelay: '1h' },
    );
    const run = await testFlow(Graph);
    run
      .expectState('Completed')
      .expectTask('a', 'Completed', { attempts: 1 })
      .expectTask('b', 'Completed', { attempts: 3 })
      .expectTask('c', 'Completed', { attempts: 1 });
    expect(calls).toEqual(['a in 1', 'b in 1', 'b in 2', 'b in 3', 'c in 3']);
    expect(run.attempt).toBe(3);
    expect(run.waitedMs).toBe(2 * 3_600_000);
    expect(run.result).toBe('c');
  });

  test('a flow without retries left fails; retryIf that throws, sync too, ends them', async () => {
    const run = await testFlow(makeFlow({ a: { does: failing() } }, { retries: 1 }));
    expect(run.expectState('Failed').attempt).toBe(2);
    const asked = await testFlow(makeFlow({ a: { does: failing() } }, { retries: 5, retryIf: failing('cannot tell') }));
    expect(asked.expectState('Failed').attempt).toBe(1);
    expect(asked.error?.message).toBe('it broke');
  });

  test('a mapped task whose list failed at first leaves no row that has not ended', async () => {
    const list = (ctx: TaskContext): number[] => (ctx.run.attempt === 1 ? failing()() : [1, 2]);
    const run = await testFlow(makeFlow({ list: { does: list }, work: { each: 'list', does: (item: number) => item } }, { retries: 1 }));
    expect(run.expectState('Completed').result).toEqual([1, 2]);
    expect(run.tasks.map((task) => `${task.key} ${task.state.name}`).toSorted()).toEqual([
      'list Completed',
      'work Skipped',
      'work[0] Completed',
      'work[1] Completed',
    ]);
  });
});

describe('names of runs', () => {
  test('a template is filled from the parameters, a function is asked', async () => {
    const params = { range: { from: new Date(0) }, month: '01' };
    const named = await testFlow(makeFlow({ a: {} }, { runName: 'sync-{month}-{range.from}-{missing}' }), params);
    expect(named.inspection.run.name).toBe('sync-01-1970-01-01T00:00:00.000Z-{missing}');
    const asked = await testFlow(makeFlow({ a: {} }, { runName: (given: unknown) => `by hand ${(given as typeof params).month}` }), params);
    expect(asked.inspection.run.name).toBe('by hand 01');
  });

  test('a function that throws or gives no text is refused before the run exists', async () => {
    await expect(testFlow(makeFlow({ a: {} }, { runName: failing('no name') }))).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(testFlow(makeFlow({ a: {} }, { runName: () => '' }))).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  test('a task whose name cannot be made fails, and says so', async () => {
    const run = await testFlow(makeFlow({ a: { runName: failing('no name') } }));
    run.expectTask('a', 'Failed');
    expect(run.error?.message).toBe('The function runName threw: no name');
  });
});
