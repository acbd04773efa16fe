import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { TaskContext } from 'batuta';
import { at, batch, filter, map, merge, parquet, tee, writeParquet } from 'batuta/streams';
import { testFlow } from 'batuta/testing';
import { makeFlow } from '../../support/make-flow.ts';
import { ownEngine } from '../../support/own-engine.ts';
import { until } from './rows.ts';

type Rows = AsyncIterable<number>;

/** Fails once, after `upTo` records were taken by the end of the stream; gives where the source went on, and what was taken then. */
async function resumed(count: number, through: (rows: Rows) => Rows, take: (rows: Rows, fail: (n: number) => void) => Promise<unknown>) {
  const begun: unknown[] = [];
  let attempt = 0;
  async function* rows(ctx: TaskContext) {
    begun.push(ctx.resumeFrom);
    for (let n = Number(ctx.resumeFrom ?? -1) + 1; n < count; n++) yield at(n, n);
  }
  const run = await testFlow(
    makeFlow({
      rows: { does: rows, retries: 1 },
      through: {
        needs: ['rows'],
        does: async function* (all: Rows) {
          yield* through(all);
        },
      },
      take: {
        needs: ['through'],
        does: async (all: Rows) => {
          attempt++;
          await take(all, (n) => {
            if (attempt === 1 && n >= count / 2) throw new Error('half way');
          });
        },
      },
    }),
  );
  run.expectState('Completed');
  return begun;
}

describe('after a failure the source goes on', () => {
  const one = async (rows: Rows, fail: (n: number) => void): Promise<void> => {
    for await (const n of rows) fail(n);
  };

  test('from the last record that the end of the stream was done with', async () => {
    expect(await resumed(2, (rows) => rows, one)).toEqual([undefined, 0]);
    const [first, second] = await resumed(10_000, (rows) => rows, one);
    expect(first).toBeUndefined();
    // Every 128 records are marked where others are under way.
    expect(Number(second)).toBeGreaterThan(5_000 - 300);
    expect(Number(second)).toBeLessThan(5_000);
  });

  test('at no record that a group, a call under way or a reader still held', async () => {
    const helpers: [string, (rows: Rows) => Rows][] = [
      ['filter', (rows) => filter(rows, (n) => n % 7 === 0)],
      ['map', (rows) => map(rows, async (n) => n, { concurrency: 5, ordered: false })],
      ['merge', (rows) => merge(rows)],
      ['tee', (rows) => tee(rows, 1)[0] as Rows],
    ];
    for (const [, through] of helpers) {
      const taken: number[] = [];
      const [, second] = await resumed(4_000, through, async (rows, fail) => {
        for await (const group of batch(rows, 100)) {
          fail(group.at(-1) ?? 0);
          taken.push(...group);
        }
      });
      const lost = taken.filter((n) => n > Number(second));
      // What was taken in the first attempt beyond the position comes again; nothing before it is missing.
      expect(Number(second)).toBeLessThan(2_000);
      expect(new Set(taken).size).toBe(through === helpers[0]?.[1] ? Math.ceil(4_000 / 7) : 4_000);
      expect(lost.length).toBeGreaterThan(0);
    }
  });

  test('from the beginning where nothing was confirmed', async () => {
    expect(
      await resumed(
        50,
        (rows) => rows,
        async (rows, fail) => {
          for await (const group of batch(rows, 1_000)) fail(group.length);
        },
      ),
    ).toEqual([undefined, undefined]);
  });

  test('from the beginning where files are written that were not whole', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'batuta-positions-'));
    const path = join(folder, 'rows.parquet');
    try {
      const begun = await resumed(
        5_000,
        (rows) => rows,
        async (rows, fail) => {
          const checked = map(rows, (id) => {
            fail(id);
            return { id };
          });
          await writeParquet(checked, path, { columns: { id: 'INT32' }, rowsPerGroup: 500 });
        },
      );
      expect(begun).toEqual([undefined, undefined]);
      let next = 0;
      for await (const { id } of parquet<{ id: number }>(path)) expect(id).toBe(next++);
      expect(next).toBe(5_000);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('from the slower of two ends', async () => {
    const begun: unknown[] = [];
    let taken = 0;
    const hold = async (all: Rows, ctx: TaskContext): Promise<void> => {
      for await (const _ of all)
        if (taken++ === 0) await new Promise((_resolve, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)));
    };
    async function* rows(ctx: TaskContext) {
      begun.push(ctx.resumeFrom);
      yield at('a', 0);
      yield at('b', 1);
      while (taken === 0) await new Promise((resolve) => setImmediate(resolve));
      if (begun.length === 1) throw new Error('after two');
    }
    const quick = async (all: Rows): Promise<void> => {
      for await (const _ of all);
    };
    await testFlow(
      makeFlow({ rows: { does: rows, retries: 1 }, hold: { needs: ['rows'], does: hold }, quick: { needs: ['rows'], does: quick } }),
    );
    expect(begun).toEqual([undefined, undefined]);
  });

  test('from the beginning where an end had left the stream unread and failed', async () => {
    const begun: unknown[] = [];
    let [taken, attempts] = [0, 0];
    const all: number[] = [];
    async function* rows(ctx: TaskContext) {
      begun.push(ctx.resumeFrom);
      for (let n = Number(ctx.resumeFrom ?? -1) + 1; n < 5_000; n++) yield at(n, n);
    }
    const leaves = async (given: Rows): Promise<void> => {
      if (attempts++ === 0) {
        await given[Symbol.asyncIterator]().return?.();
        await until(() => taken > 1_000);
        throw new Error('left');
      }
      for await (const n of given) all.push(n);
    };
    const quick = async (given: Rows): Promise<void> => {
      for await (const _ of given) taken++;
    };
    const needs = ['rows'];
    await testFlow(makeFlow({ rows: { does: rows, retries: 1 }, leaves: { needs, does: leaves }, quick: { needs, does: quick } }));
    expect(begun).toEqual([undefined, undefined]);
    expect(all.length).toBe(5_000);
  });

  describe('before the first record that was lost where the end of the stream returns although it has failed', () => {
    const count = 1_000;
    /** Takes what it is given, and passes over what goes wrong. */
    const flowOf = (taken: number[], onTaken: (n: number, ctx: TaskContext) => unknown) => {
      async function* rows(ctx: TaskContext) {
        for (let n = Number(ctx.resumeFrom ?? -1) + 1; n < count; n++) {
          if (n === 500 && taken.length > 0 && ctx.task.attempt === 1 && ctx.resumeFrom === undefined) throw new Error('half way');
          yield at(n, n);
        }
      }
      const take = async (all: Rows, ctx: TaskContext): Promise<void> => {
        try {
          for await (const n of all) {
            taken.push(n);
            await onTaken(n, ctx);
          }
        } catch {
          // As code does that takes a broken stream for its end.
        }
      };
      return makeFlow({ rows: { does: rows, retries: 1 }, take: { needs: ['rows'], does: take } });
    };

    test('by an error of its source', async () => {
      const taken: number[] = [];
      const run = await testFlow(flowOf(taken, () => undefined));
      run.expectState('Completed').expectTask('rows', 'Completed', { attempts: 2 });
      expect(new Set(taken).size).toBe(count);
      expect(taken.at(-1)).toBe(count - 1);
    });

    test('by a cancel, where its run is retried', async () => {
      const taken: number[] = [];
      let isCancelled = false;
      const flow = flowOf(taken, async (n, { signal }) => {
        if (n !== 10 || isCancelled) return;
        isCancelled = true;
        const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
        void client.runs.cancel(handle.id);
        await aborted;
      });
      const { client } = await ownEngine({ flows: [flow] });
      const handle = await client.submit(flow);
      expect((await handle.done()).state.name).toBe('Cancelled');
      expect(taken).toHaveLength(11);
      const again = await client.runs.retry(handle.id);
      expect((await again.done()).state.name).toBe('Completed');
      expect(new Set(taken).size).toBe(count);
    });
  });

  test('positions that cannot be stored fail the source at its first record', async () => {
    class Place {}
    async function* rows() {
      yield at(new Place(), 1);
    }
    const run = await testFlow(makeFlow({ rows: { does: rows }, take: { needs: ['rows'], does: () => 1 } }));
    run.expectTask('rows', 'Failed');
    expect(run.task('rows').error).toMatchObject({ code: 'RESULT_NOT_SERIALIZABLE', message: expect.stringContaining('position of rows') });
  });
});
