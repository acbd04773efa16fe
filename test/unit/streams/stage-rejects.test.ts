/** What tasks of a stream reject: kept whole, before their positions, and counted against the share allowed. */
import { describe, expect, test } from 'vitest';
import type { TaskContext } from 'batuta';
import { at } from 'batuta/streams';
import { testFlow } from 'batuta/testing';
import { deadLettersOf } from '../../../src/model/dead-letters.ts';
import { makeFlow } from '../../support/make-flow.ts';

type Rows = AsyncIterable<number>;

describe('what a stage has rejected', () => {
  async function* rows() {
    for (let n = 0; n < 3_000; n++) yield at({ line: n + 1 }, n);
  }
  const odd = async (all: Rows, ctx: TaskContext): Promise<number> => {
    let kept = 0;
    for await (const n of all) {
      if (n % 2 === 1) ctx.reject({ n }, n % 3 === 0 ? 'thrice' : 'odd');
      else kept++;
    }
    return kept;
  };

  test('is kept whole, with task, position and reason, and counted', async () => {
    const run = await testFlow(makeFlow({ rows: { does: rows }, odd: { needs: ['rows'], does: odd } }));
    expect(run.result).toBe(1_500);
    const letters = run.artifacts.filter(({ kind }) => kind === 'rejects').flatMap(({ data }) => data as unknown[]);
    expect(letters).toHaveLength(1_500);
    expect(letters[0]).toEqual({ reason: 'odd', stage: 'odd', position: { line: 2 }, attempt: 1, record: { n: 1 } });
    expect(run.task('odd').metrics).toMatchObject({ in: 3_000, rejected: 1_500 });
    expect(run.task('rows').metrics).toMatchObject({ out: 3_000 });
  });

  test('is kept before the position behind it is, whichever stage has rejected it', async () => {
    const begun: unknown[] = [];
    let taken = 0;
    async function* some(ctx: TaskContext) {
      begun.push(ctx.resumeFrom);
      for (let n = Number(ctx.resumeFrom ?? -1) + 1; n < 20; n++) {
        if (n === 10 && begun.length === 1) {
          while (taken < 10) await new Promise((resolve) => setImmediate(resolve));
          throw new Error('half way');
        }
        yield at(n, n);
      }
    }
    const none = async (all: Rows, ctx: TaskContext): Promise<void> => {
      for await (const n of all) {
        ctx.reject(n, 'none');
        taken++;
      }
    };
    const run = await testFlow(makeFlow({ some: { does: some, retries: 1 }, none: { needs: ['some'], does: none } }));
    run.expectState('Completed');
    expect(begun).toEqual([undefined, 9]);
    expect(deadLettersOf(run.artifacts).map(({ record }) => record)).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });

  test('fails the task with the figures above its share, from so many records on', async () => {
    const run = await testFlow(
      makeFlow({ rows: { does: rows, retries: 3 }, odd: { needs: ['rows'], does: odd, maxErrorRate: { share: 0.25, from: 1_000 } } }),
    );
    run.expectTask('odd', 'Failed', { attempts: 1 });
    expect(run.task('odd').error).toMatchObject({
      code: 'TOO_MANY_REJECTS',
      message: 'Task odd has rejected 500 of 1000 records, 50 %; 25 % are allowed. Most: odd (333), thrice (167).',
    });
    const few = await testFlow(makeFlow({ rows: { does: rows }, odd: { needs: ['rows'], does: odd, maxErrorRate: { share: 0.5 } } }));
    few.expectState('Completed');
  });

  test('is held against the share at the end too', async () => {
    const early = async (all: Rows, ctx: TaskContext): Promise<void> => {
      for await (const n of all) if (n < 900) ctx.reject(n, 'early');
    };
    async function* some() {
      for (let n = 0; n < 1_000; n++) yield n;
    }
    const run = await testFlow(
      makeFlow({ some: { does: some }, early: { needs: ['some'], does: early, maxErrorRate: { share: 0.5, from: 1_000 } } }),
    );
    expect(run.task('early').error?.message).toContain('rejected 900 of 1000 records');
  });

  test.each([
    [{ share: 2 }, 'OPTION_INVALID'],
    [{ from: 3 }, 'OPTION_INVALID'],
    [{ share: 0.1, form: 3 }, 'OPTION_UNKNOWN'],
    [0.1, 'OPTION_INVALID'],
  ])('%o as maxErrorRate is refused', async (maxErrorRate, code) => {
    expect(() => makeFlow({ rows: { does: rows }, odd: { needs: ['rows'], does: odd, maxErrorRate: maxErrorRate as never } })).toThrow(
      expect.objectContaining({ code }),
    );
  });
});
