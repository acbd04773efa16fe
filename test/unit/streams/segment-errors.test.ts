import { describe, expect, test } from 'vitest';
import type { FlowClass, TaskContext } from 'batuta';
import { at } from 'batuta/streams';
import { fakeClock, testFlow } from 'batuta/testing';
import { gate, makeFlow } from '../../support/make-flow.ts';
import { type Rows, doubled, sum, upTo } from './rows.ts';

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

  test('is logged with how many records its task had taken, and the position of the last', async () => {
    async function* rows() {
      for (let row = 1; row <= 5_000; row++) yield row === 4_000 ? fail('of the source') : at({ line: row }, row);
    }
    const fail = (what: string): never => {
      throw new Error(what);
    };
    const take = async (all: Rows): Promise<void> => {
      for await (const row of all) if (row === 3_000) fail('of the end');
    };
    const flow = makeFlow({ rows: { does: rows }, take: { needs: ['rows'], does: take } });
    const messages = async (running: ReturnType<typeof testFlow>): Promise<string[]> => (await running).logs.map(({ message }) => message);
    expect(await messages(testFlow(flow))).toContain('Failed after taking 3000 records, the last at position { line: 3000 }: of the end');
    const none = makeFlow({ rows: { does: rows }, take: { needs: ['rows'], does: sum } });
    expect(await messages(testFlow(none))).toContain(
      'Failed after giving 3999 records, the last at position { line: 3999 }: of the source',
    );
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
