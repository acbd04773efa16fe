import { describe, expect, test } from 'vitest';
import { Flow, Task, type TaskContext } from 'batuta';
import { testFlow } from 'batuta/testing';
import { gate, makeFlow } from '../../support/make-flow.ts';
import { type Rows, doubled, sum, until, upTo } from './rows.ts';

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
