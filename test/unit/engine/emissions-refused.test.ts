/** Values that `ctx.emit` refuses: names, schemas, caps; and what a refusal does to the task. */
import { z } from 'zod';
import { describe, expect, test, vi } from 'vitest';
import { Flow, Task, type TaskContext } from 'batuta';
import { testFlow } from 'batuta/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import { all } from '../../support/all-records.ts';
import { makeFlow } from '../../support/make-flow.ts';
import { ownEngine } from '../../support/own-engine.ts';
import { memoryPlace } from '../../../src/engine/results/memory-place.ts';
import { resultStorage } from '../../../src/engine/results/storage.ts';
import { handClock } from '../../support/hand-clock.ts';
import { systemClock } from '../../../src/base/clock.ts';

describe('values of a task', () => {
  test.each([
    ['a name that is none', 'a b', 1, 'NAME_INVALID'],
    ['a name that no address can have', '..', 1, 'NAME_INVALID'],
    ['a value that cannot be stored', 'n', () => 1, 'RESULT_NOT_SERIALIZABLE'],
  ])('%s fails the call, and the task where nobody catches it', async (_, stream, value, code) => {
    const run = await testFlow(makeFlow({ work: { does: async (ctx: TaskContext) => ctx.emit(stream, value) } }), {});
    run.expectState('Failed');
    expect(run.error?.code).toBe(code);
    expect(run.emissions).toEqual([]);
  });

  test.each([
    ['on the spot', (ctx: TaskContext) => void ctx.emit('a b', 1)],
    ['at once', async (ctx: TaskContext) => void ctx.emit('a b', 1)],
    ['before its end', async (ctx: TaskContext) => (void ctx.emit('a b', 1), await sleep(50))],
    ['once it is stored', async (ctx: TaskContext) => void ctx.emit('a b', 'x'.repeat(300 * 1024))],
  ])('that nobody awaits and that is refused %s fails its task', async (_, does) => {
    const run = await testFlow(makeFlow({ work: { does } }), {});
    run.expectState('Failed');
    expect(run.error?.message).toContain('a b');
  });

  test('that nobody awaits fails its task where the run may give out no more, and the next attempt may go without', async () => {
    const { client } = await ownEngine({ settings: { maxRunStreamsBytes: 5_000 } });
    const does = async (ctx: TaskContext): Promise<void> => {
      if (ctx.task.attempt === 1) void ctx.emit('n', 'y'.repeat(6_000));
    };
    const failed = await (await client.submit(makeFlow({ work: { does } }))).done();
    expect([failed.state.name, failed.error?.message]).toEqual(['Failed', expect.stringContaining('BATUTA_MAX_RUN_STREAMS')]);
    const retried = await (await client.submit(makeFlow({ work: { does, retries: 1 } }))).done();
    expect(retried.state.name).toBe('Completed');
  });

  test('that are large and find no more room in the run leave nothing where they were kept', async () => {
    const real = resultStorage(memoryPlace());
    const [put, removed]: [string[], string[]] = [[], []];
    const results: typeof real = {
      ...real,
      async put(key, text) {
        const ref = await real.put(key, text);
        put.push(ref);
        return ref;
      },
      async remove(ref) {
        removed.push(ref);
        await real.remove(ref);
      },
    };
    const { client } = await ownEngine({ results, settings: { maxRunStreamsBytes: 400_000 } });
    const large = 'x'.repeat(300 * 1024);
    const does = async (ctx: TaskContext): Promise<unknown> => {
      await ctx.emit('n', large);
      return ctx.emit('n', large).catch((error: { code: string }) => error.code);
    };
    expect(await (await client.submit(makeFlow({ work: { does } }))).result()).toBe('STREAM_FULL');
    expect([put.length, removed]).toEqual([2, [put[1]]]);
  });

  test('larger than is allowed, or more than a run may, fail the call; what came before stays', async () => {
    const { client } = await ownEngine({ settings: { maxStreamValueBytes: 2_000, maxRunStreamsBytes: 5_000 } });
    const codes: unknown[] = [];
    const does = async (ctx: TaskContext): Promise<void> => {
      for (const value of ['y'.repeat(3_000), 'y'.repeat(1_900), 'y'.repeat(1_900), 'y'.repeat(1_900), 'short'])
        await ctx.emit('n', value).catch((error: { code: string }) => codes.push(error.code));
    };
    const handle = await client.submit(makeFlow({ work: { does } }));
    await handle.result();
    expect(codes).toEqual(['STREAM_VALUE_TOO_LARGE', 'STREAM_FULL']);
    expect((await all(client.runs.emitted(handle.id, 'n'))).map(({ value }) => String(value).length)).toEqual([1_900, 1_900, 5]);
  });
});

class Declared {
  static readonly emits = { n: z.coerce.number() };
  async work(ctx: TaskContext<typeof Declared>): Promise<void> {
    await ctx.emit('n', '7');
    await ctx.emit('n', 'seven').catch((error: { code: string }) => this.seen.push(error.code));
    await (ctx as TaskContext).emit('m', 1).catch((error: { code: string }) => this.seen.push(error.code));
    if (this.seen.join() !== 'STREAM_VALUE_INVALID,NAME_INVALID') throw new Error(this.seen.join());
  }
  readonly seen: string[] = [];
}
(Task() as unknown as MethodDecorator)(Declared.prototype, 'work', Object.getOwnPropertyDescriptor(Declared.prototype, 'work') ?? {});
(Flow() as unknown as (cls: object) => void)(Declared);

test('a schema that never answers holds a task up no longer than half a minute', async () => {
  const { clock, timers } = handClock();
  class Silent {
    static readonly emits = { n: z.string().refine(() => new Promise<boolean>(() => undefined)) };
    async work(ctx: TaskContext): Promise<unknown> {
      return ctx.emit('n', 'a').catch((error: { code: string; message: string }) => [error.code, error.message]);
    }
  }
  (Task() as unknown as MethodDecorator)(Silent.prototype, 'work', Object.getOwnPropertyDescriptor(Silent.prototype, 'work') ?? {});
  (Flow() as unknown as (cls: object) => void)(Silent);
  const { client } = await ownEngine({
    leaseClock: { ...systemClock, setTimer: (ms, ...rest) => (ms === 30_000 ? clock : systemClock).setTimer(ms, ...rest) },
  });
  const handle = await client.submit(Silent);
  await vi.waitFor(() => expect(timers.size).toBe(1), { timeout: 20_000 });
  for (const { fire } of timers.values()) fire();
  expect(await handle.result()).toEqual(['STREAM_VALUE_INVALID', expect.stringContaining("stream 'n' has not answered for 30 seconds")]);
  expect(timers.size).toBe(0);
});

test('declared streams are checked by their schemas, and no others are taken', async () => {
  const run = await testFlow(Declared, {});
  run.expectState('Completed');
  expect(run.emitted('n')).toEqual([7]);
});
