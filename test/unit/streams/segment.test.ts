import { describe, expect, test } from 'vitest';
import { type FlowClass, Task, Flow, type TaskContext } from 'batuta';
import { fakeClock, testFlow } from 'batuta/testing';
import { gate, makeFlow } from '../../support/make-flow.ts';

type Rows = AsyncIterable<number>;

const upTo = (count: number) =>
  async function* (): AsyncGenerator<number> {
    for (let row = 0; row < count; row++) yield row;
  };
async function* doubled(rows: Rows): AsyncGenerator<number> {
  for await (const row of rows) yield row * 2;
}
async function sum(rows: Rows): Promise<number> {
  let total = 0;
  for await (const row of rows) total += row;
  return total;
}
const until = async (met: () => boolean): Promise<void> => {
  while (!met()) await new Promise((resolve) => setImmediate(resolve));
};

describe('a stream', () => {
  test('goes record by record through tasks that run at the same time, each a task run of its own', async () => {
    const flow = makeFlow({
      rows: { does: upTo(10_000) },
      doubled: { needs: ['rows'], does: doubled },
      sum: { needs: ['doubled'], does: sum },
    });
    const run = await testFlow(flow);
    expect(run.result).toBe(99_990_000);
    run.expectTask('rows', 'Completed', { attempts: 1 }).expectTask('doubled', 'Completed').expectTask('sum', 'Completed');
    const began = (name: string): number =>
      run.inspection.transitions.findIndex((t) => t.name === 'Running' && t.taskRunId === idOf(run, name));
    const ended = run.inspection.transitions.findIndex((t) => t.name === 'Completed' && t.taskRunId === idOf(run, 'rows'));
    for (const name of ['doubled', 'sum']) expect(began(name)).toBeLessThan(ended);
  });

  test('goes to several tasks, all of which get every record in order, also the slow one', async () => {
    const seen: Record<string, number[]> = { slow: [], fast: [] };
    const take = (name: string, turns: number) => async (rows: Rows) => {
      for await (const row of rows) {
        for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
        seen[name]?.push(row);
      }
    };
    const run = await testFlow(
      makeFlow({
        rows: { does: upTo(700) },
        slow: { needs: ['rows'], does: take('slow', 2) },
        fast: { needs: ['rows'], does: take('fast', 0) },
      }),
    );
    run.expectState('Completed');
    const all = Array.from({ length: 700 }, (_, at) => at);
    expect(seen).toEqual({ slow: all, fast: all });
  });

  test.each([
    [undefined, 256],
    [1, 1],
    [8, 8],
    [1_000, 1_000],
  ])('a source is never further ahead of a task that takes nothing than its buffer: %s gives %i', async (buffer, most) => {
    const hold = gate();
    let given = 0;
    async function* rows(): AsyncGenerator<number> {
      for (;;) {
        yield given++;
        if (given === 5_000) return;
      }
    }
    const running = testFlow(
      makeFlow({
        rows: { does: rows, ...(buffer === undefined ? {} : { buffer }) },
        late: {
          needs: ['rows'],
          does: async (all: Rows) => {
            await hold.opened;
            return sum(all);
          },
        },
      }),
    );
    for (let turn = 0; turn < 60; turn++) await new Promise((resolve) => setImmediate(resolve));
    // One record more is in the hands of the generator.
    expect(given).toBeGreaterThan(0);
    expect(given).toBeLessThanOrEqual(most + 1);
    hold.open();
    expect((await running).result).toBe(12_497_500);
  });

  test('a slow source hands each record on at once', async () => {
    const asked: (() => void)[] = [];
    const taken: number[] = [];
    async function* rows(): AsyncGenerator<number> {
      for (let row = 0; row < 3; row++) {
        yield row;
        await new Promise<void>((resolve) => void asked.push(resolve));
      }
    }
    const take = async (all: Rows): Promise<void> => {
      for await (const row of all) taken.push(row);
    };
    const running = testFlow(makeFlow({ rows: { does: rows }, take: { needs: ['rows'], does: take } }));
    for (let row = 0; row < 3; row++) {
      await until(() => taken.length === row + 1 && asked.length === row + 1);
      asked[row]?.();
    }
    (await running).expectState('Completed');
  });

  test('other inputs of a task that takes a stream are waited for, and come in the order of needs', async () => {
    const given: unknown[] = [];
    const run = await testFlow(
      makeFlow({
        factor: { does: () => 3 },
        rows: {
          needs: ['factor'],
          does: async function* (factor: number) {
            yield factor;
          },
        },
        label: { does: () => 'thrice' },
        take: {
          needs: ['label', 'rows', 'factor'],
          does: async (label: string, rows: Rows, factor: number, ctx: TaskContext) =>
            void given.push(label, await sum(rows), factor, ctx.task.name),
        },
        after: { needs: ['take'], does: () => given.push('after') },
      }),
    );
    run.expectState('Completed');
    expect(given).toEqual(['thrice', 3, 3, 'take', 'after']);
  });

  test('a task that stops early ends its source, at its finally; all have completed', async () => {
    let isClosed = false;
    let given = 0;
    async function* endless(): AsyncGenerator<number> {
      try {
        for (;;) yield given++;
      } finally {
        isClosed = true;
      }
    }
    const firstTen = async (rows: Rows): Promise<number> => {
      let taken = 0;
      for await (const _ of rows) if (++taken === 10) break;
      return taken;
    };
    const run = await testFlow(
      makeFlow({
        endless: { does: endless },
        doubled: { needs: ['endless'], does: doubled },
        firstTen: { needs: ['doubled'], does: firstTen },
      }),
    );
    expect(run.result).toBe(10);
    expect(isClosed).toBe(true);
    expect(given).toBeLessThan(1_100);
  });

  test('a task that takes no record at all holds nobody up', async () => {
    const run = await testFlow(
      makeFlow({ rows: { does: upTo(10_000) }, none: { needs: ['rows'], does: () => 'none' }, sum: { needs: ['rows'], does: sum } }),
    );
    expect(run.result).toEqual({ none: 'none', sum: 49_995_000 });
  });

  test('read twice by one task fails it by name', async () => {
    const twice = async (rows: Rows): Promise<number> => (await sum(rows)) + (await sum(rows));
    const run = await testFlow(makeFlow({ rows: { does: upTo(3), retries: 2 }, twice: { needs: ['rows'], does: twice } }));
    run.expectTask('twice', 'Failed', { attempts: 1 });
    expect(run.task('twice').error).toMatchObject({
      code: 'STREAM_MISUSED',
      message: expect.stringContaining('Task twice reads the records of rows a second time'),
    });
  });

  test('asked for many records at a time gives each once, in order', async () => {
    const greedy = async (rows: Rows): Promise<unknown> => {
      const reader = rows[Symbol.asyncIterator]();
      const results = await Promise.all(Array.from({ length: 8 }, () => reader.next()));
      return results.map((result) => (result.done ? 'end' : result.value));
    };
    const run = await testFlow(makeFlow({ rows: { does: upTo(6) }, greedy: { needs: ['rows'], does: greedy } }));
    expect(run.result).toEqual([0, 1, 2, 3, 4, 5, 'end', 'end']);
  });

  test('leaves timers their turn, however fast it is', async () => {
    let ticks = 0;
    const ticking = setInterval(() => ticks++, 1);
    const run = await testFlow(
      makeFlow({ rows: { does: upTo(200_000) }, doubled: { needs: ['rows'], does: doubled }, sum: { needs: ['doubled'], does: sum } }),
    );
    clearInterval(ticking);
    run.expectState('Completed');
    expect(ticks).toBeGreaterThan(5);
  });

  test('takes one place of the flow, whatever it consists of', async () => {
    const run = await testFlow(
      makeFlow(
        { rows: { does: upTo(600) }, doubled: { needs: ['rows'], does: doubled }, sum: { needs: ['doubled'], does: sum }, other: {} },
        { maxParallelTasks: 1 },
      ),
    );
    expect(run.result).toEqual({ sum: 359_400, other: 'other' });
  });
});

describe('an error in a stream', () => {
  const parts = { rows: { does: upTo(5_000) }, doubled: { needs: ['rows'], does: doubled }, sum: { needs: ['doubled'], does: sum } };
  const broken = (where: 'rows' | 'doubled' | 'sum'): FlowClass => {
    const fail = (): never => {
      throw new Error(`${where} broke`);
    };
    async function* rows(): AsyncGenerator<number> {
      yield* upTo(3_000)();
      fail();
    }
    async function* middle(all: Rows): AsyncGenerator<number> {
      for await (const row of all) yield row === 3_000 ? fail() : row;
    }
    const last = async (all: Rows): Promise<void> => {
      for await (const row of all) if (row === 3_000) fail();
    };
    const does = { rows, doubled: middle, sum: last }[where];
    return makeFlow({ ...parts, [where]: { ...parts[where], does } });
  };

  test.each(['rows', 'doubled', 'sum'] as const)('of %s fails the run with it, and stops all that it is connected with', async (where) => {
    const run = await testFlow(broken(where));
    run.expectState('Failed').expectTask(where, 'Failed');
    expect(run.error?.message).toBe(`${where} broke`);
    for (const name of ['rows', 'doubled', 'sum'].filter((other) => other !== where)) {
      run.expectTask(name, 'UpstreamFailed');
      expect(run.task(name).error).toMatchObject({ code: 'STREAM_STOPPED', details: { task: where } });
    }
  });

  test('aborts the signals of those that wait for something else, and ends them at their finally', async () => {
    const seen: unknown[] = [];
    async function* rows(ctx: TaskContext): AsyncGenerator<number> {
      try {
        yield 1;
        await new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)));
      } finally {
        seen.push((ctx.signal.reason as { code: string }).code);
      }
    }
    const take = async (all: Rows): Promise<void> => {
      for await (const _ of all) throw new Error('no');
    };
    const run = await testFlow(makeFlow({ rows: { does: rows }, take: { needs: ['rows'], does: take } }));
    run.expectTask('take', 'Failed').expectTask('rows', 'UpstreamFailed');
    expect(seen).toEqual(['STREAM_STOPPED']);
  });

  test('a stage that ignores its signal is no longer waited for after a while', async () => {
    const clock = fakeClock();
    async function* rows(): AsyncGenerator<number> {
      yield 1;
      await new Promise(() => undefined);
    }
    const take = async (all: Rows): Promise<void> => {
      for await (const _ of all) throw new Error('no');
    };
    let isOver = false;
    const running = testFlow(makeFlow({ rows: { does: rows }, take: { needs: ['rows'], does: take } }), {}, { clock }).finally(
      () => (isOver = true),
    );
    while (!isOver) {
      await new Promise((resolve) => setImmediate(resolve));
      await clock.advance('100ms');
    }
    const run = await running;
    run.expectTask('take', 'Failed').expectTask('rows', 'UpstreamFailed');
    expect(clock.elapsedMs).toBeGreaterThanOrEqual(5_000);
  });

  test('the retries of the source run all again together, after its delay', async () => {
    const clock = fakeClock();
    let attempts = 0;
    const flaky = async (all: Rows): Promise<number> => {
      attempts++;
      if (attempts < 3) for await (const row of all) if (row > 700) throw new Error('flaky');
      return sum(all);
    };
    const flow = makeFlow({ ...parts, rows: { ...parts.rows, retries: 2, retryDelay: '1m' }, sum: { needs: ['doubled'], does: flaky } });
    const run = await testFlow(flow, {}, { clock });
    expect(run.result).toBe(24_995_000);
    for (const name of ['rows', 'doubled', 'sum']) run.expectTask(name, 'Completed', { attempts: 3 });
    expect(run.waitedMs).toBeGreaterThanOrEqual(120_000);
  });

  test('retryIf of the source is asked with what has failed, wherever that was', async () => {
    const asked: string[] = [];
    const take = async (all: Rows): Promise<void> => {
      for await (const _ of all) throw new Error('not again');
    };
    const retryIf = (error: unknown): boolean => {
      asked.push((error as Error).message);
      return false;
    };
    const run = await testFlow(makeFlow({ rows: { does: upTo(5), retries: 5, retryIf }, take: { needs: ['rows'], does: take } }));
    run.expectTask('take', 'Failed', { attempts: 1 });
    expect(asked).toEqual(['not again']);
  });

  test('a stage that takes too long is TimedOut and stops the others', async () => {
    const clock = fakeClock();
    const take = async (all: Rows): Promise<void> => {
      for await (const _ of all) await clock.sleep('1h');
    };
    const run = await testFlow(makeFlow({ rows: { does: upTo(5) }, take: { needs: ['rows'], timeout: '1m', does: take } }), {}, { clock });
    run.expectTask('take', 'TimedOut').expectTask('rows', 'UpstreamFailed');
  });

  test('a task that has ended before another failed has not completed', async () => {
    const early = gate();
    const take = async (all: Rows): Promise<never> => {
      await early.opened;
      for await (const _ of all) break;
      throw new Error('late');
    };
    const none = (): string => {
      setImmediate(() => early.open());
      return 'none';
    };
    const run = await testFlow(
      makeFlow({ rows: { does: upTo(5) }, none: { needs: ['rows'], does: none }, take: { needs: ['rows'], does: take } }),
    );
    run.expectTask('take', 'Failed').expectTask('none', 'UpstreamFailed').expectTask('rows', 'UpstreamFailed');
  });

  test('before a stream starts makes all of it UpstreamFailed, and what is skipped skips it', async () => {
    const before = { does: () => Promise.reject(new Error('before')) };
    const failed = await testFlow(makeFlow({ before, rows: { does: upTo(5) }, take: { needs: ['rows', 'before'], does: sum } }));
    failed.expectTask('rows', 'UpstreamFailed').expectTask('take', 'UpstreamFailed');
    const skipped = await testFlow(
      makeFlow({ before: { when: () => false }, rows: { does: upTo(5) }, take: { needs: ['rows', 'before'], does: sum } }),
    );
    skipped.expectState('Completed').expectTask('rows', 'Skipped').expectTask('take', 'Skipped');
  });

  test('a value that cannot be stored fails the whole', async () => {
    class Point {}
    const run = await testFlow(makeFlow({ rows: { does: upTo(5) }, take: { needs: ['rows'], does: () => new Point() } }));
    run.expectTask('take', 'Failed').expectTask('rows', 'UpstreamFailed');
  });
});

test('a class streams in the same way', async () => {
  @Flow()
  class Rows {
    @Task({ buffer: 2 })
    async *rows(): AsyncGenerator<{ id: number }> {
      yield { id: 1 };
      yield { id: 2 };
    }
    @Task({ needs: ['rows'] })
    async ids(rows: AsyncIterable<{ id: number }>): Promise<number[]> {
      const ids: number[] = [];
      for await (const { id } of rows) ids.push(id);
      return ids;
    }
  }
  expect((await testFlow(Rows)).result).toEqual([1, 2]);
});

function idOf(run: Awaited<ReturnType<typeof testFlow>>, name: string): string | undefined {
  return run.inspection.taskRuns.find((row) => row.name === name)?.id;
}
