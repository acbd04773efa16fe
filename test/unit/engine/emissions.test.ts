/** What a run gives out by `ctx.emit`: order, attempts, replays, threads, spread tasks, late code. */
import { describe, expect, test } from 'vitest';
import { Flow, type FlowContext, Task, type TaskContext } from 'batuta';
import { fakeClock, testFlow } from 'batuta/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import { all } from '../../support/all-records.ts';
import { gate, makeFlow } from '../../support/make-flow.ts';
import { openNode, runOn } from '../../integration/fleet/spread-node.ts';
import { ownEngine, ownFolder } from '../../support/own-engine.ts';
import { memoryPlace } from '../../../src/engine/results/memory-place.ts';
import { resultStorage } from '../../../src/engine/results/storage.ts';

describe('values of a task', () => {
  test('come as what they were, in the order of the calls, awaited or not, large ones among them, before its end', async () => {
    const large = 'x'.repeat(300 * 1024);
    const run = await testFlow(
      makeFlow({
        work: {
          does: (ctx: TaskContext) => {
            void ctx.emit('out', new Date(7));
            void ctx.emit('out', large);
            void ctx.emit('out', undefined);
            void ctx.emit('other', 1n);
            void ctx.emit('out', new Map([['a', 1]]));
          },
        },
      }),
      {},
    );
    run.expectState('Completed');
    expect(run.emitted('out')).toEqual([new Date(7), large, undefined, new Map([['a', 1]])]);
    expect(run.emitted('other')).toEqual([1n]);
    expect(run.emissions.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
  });

  test('that take long to be stored hold up its end, though nobody awaits them', async () => {
    const real = resultStorage(memoryPlace());
    const stored = gate();
    const put: typeof real.put = async (key, text) => {
      if (key.includes('/emission-')) await stored.opened;
      return real.put(key, text);
    };
    const { client } = await ownEngine({ results: { ...real, put } });
    const does = (ctx: TaskContext): void => {
      void ctx.emit('n', 'x'.repeat(300 * 1024));
      void ctx.emit('n', 'behind it');
    };
    const handle = await client.submit(makeFlow({ work: { does } }));
    // So long that the run would have ended, which takes no values any more.
    await sleep(500);
    stored.open();
    await handle.result();
    expect((await all(client.runs.emitted(handle.id, 'n'))).map(({ value }) => String(value).length)).toEqual([300 * 1024, 9]);
  });

  test('are recorded after the beginning of their attempt: after a crash none but they have its number', async () => {
    const { client, store } = await ownEngine();
    const { recorder, emissions } = store;
    const recorded = new Set<string>();
    const addTaskRun = recorder.addTaskRun.bind(recorder);
    recorder.addTaskRun = (claim, row, ...more) => {
      const written = addTaskRun(claim, row, ...more);
      void written.then(() => recorded.add(`${row.id} ${row.attempt}`));
      return written;
    };
    const add = emissions.add.bind(emissions);
    const early: unknown[] = [];
    emissions.add = (writes, most) => {
      early.push(...writes.map(({ emission }) => emission).filter(({ taskRunId, attempt }) => !recorded.has(`${taskRunId} ${attempt}`)));
      return add(writes, most);
    };
    const does = async (ctx: TaskContext): Promise<void> => {
      void ctx.emit('n', 1);
      await ctx.emit('n', 2);
      if (ctx.task.attempt < 3) throw new Error('it broke');
    };
    // The row of a task that begins alone is held, to be written with its end.
    const handle = await client.submit(
      makeFlow({ first: { does: () => 1 }, work: { does: (_: unknown, ctx: TaskContext) => does(ctx), needs: ['first'], retries: 2 } }),
    );
    await handle.result();
    expect((await all(client.runs.emitted(handle.id, 'n'))).map(({ value }) => value)).toEqual([1, 2, 1, 2, 1, 2]);
    expect(early).toEqual([]);
  });

  test('of an attempt that failed stay, and those of the next follow under its number', async () => {
    const does = async (ctx: TaskContext): Promise<void> => {
      await ctx.emit('n', ctx.task.attempt * 10);
      if (ctx.task.attempt < 3) throw new Error('it broke');
    };
    const run = await testFlow(makeFlow({ work: { retries: 2, does } }), {});
    expect(run.emissions.map(({ value, attempt }) => [value, attempt])).toEqual([
      [10, 1],
      [20, 2],
      [30, 3],
    ]);
  });

  test('that it emits once its attempt has ended are dropped', async () => {
    const clock = fakeClock();
    const second = gate();
    const late = gate();
    const does = async (ctx: TaskContext): Promise<void> => {
      if (ctx.task.attempt === 1) {
        void second.opened.then(() => ctx.emit('n', 'late')).then(() => late.open());
        await clock.sleep('1h');
      }
      second.open();
      await late.opened;
      await ctx.emit('n', 'second');
    };
    const run = await testFlow(makeFlow({ work: { timeout: '1m', retries: 1, does } }), {}, { clock });
    run.expectState('Completed');
    expect(run.emitted('n')).toEqual(['second']);
  });

  test('that a task has given before it is cancelled are recorded, though they take long', async () => {
    const real = resultStorage(memoryPlace());
    const [begun, stored] = [gate(), gate()];
    const put: typeof real.put = async (key, text) => {
      begun.open();
      await stored.opened;
      return real.put(key, text);
    };
    const { client } = await ownEngine({ results: { ...real, put } });
    const does = async (ctx: TaskContext): Promise<void> => {
      void ctx.emit('n', 'x'.repeat(300 * 1024));
      await new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason as Error)));
    };
    const handle = await client.submit(makeFlow({ work: { does } }));
    await begun.opened;
    await client.runs.cancel(handle.id);
    // So long that the run would have ended, which takes no values any more.
    await sleep(500);
    stored.open();
    expect((await handle.done()).state.name).toBe('Cancelled');
    expect((await all(client.runs.emitted(handle.id, 'n'))).map(({ value }) => String(value).length)).toEqual([300 * 1024]);
  });
});

describe('values of the body of a code flow', () => {
  class Body {
    async run(_: unknown, ctx: FlowContext): Promise<void> {
      await ctx.emit('steps', 'begun');
      await ctx.emit('steps', 'begun');
      await this.first();
      await ctx.emit('steps', 'between');
      await this.second();
    }
    async first(): Promise<void> {}
    async second(): Promise<void> {
      if (++Body.calls === 1) throw new Error('it broke');
    }
    static calls = 0;
  }
  for (const name of ['first', 'second'])
    (() => {
      const decorate = Task() as unknown as MethodDecorator;
      const replaced = decorate(Body.prototype, name, Object.getOwnPropertyDescriptor(Body.prototype, name) ?? {});
      if (replaced) Object.defineProperty(Body.prototype, name, replaced);
    })();
  (Flow({ retries: 1 }) as unknown as (cls: object) => void)(Body);

  test('are recorded once, though the body is executed again', async () => {
    const run = await testFlow(Body, {});
    run.expectState('Completed');
    expect(Body.calls).toBe(2);
    expect(run.emitted('steps')).toEqual(['begun', 'begun', 'between']);
  });
});

describe('a reader', () => {
  test('that comes early, late or at the end gets all from the start, each once, and ends with the run', async () => {
    const { client } = await ownEngine();
    const half = gate();
    const flow = makeFlow({
      work: {
        does: async (ctx: TaskContext) => {
          for (let n = 1; n <= 3; n++) await ctx.emit('n', n);
          await half.opened;
          for (let n = 4; n <= 6; n++) await ctx.emit('n', n);
        },
      },
    });
    const handle = await client.submit(flow);
    const seen: unknown[] = [];
    const early = (async () => {
      for await (const value of handle.stream('n')) if (seen.push(value) === 3) half.open();
    })();
    await half.opened;
    const late = all(client.runs.emitted(handle.id, 'n', { after: 2 }));
    await Promise.all([early, handle.result()]);
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
    expect((await late).map(({ value }) => value)).toEqual([3, 4, 5, 6]);
    expect((await all(client.runs.emitted(handle.id, 'n'))).map(({ value }) => value)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await client.runs.streams(handle.id)).toMatchObject([{ stream: 'n', count: 6, newest: 6 }]);
  });

  test('may leave at any time, by its signal or the loop', async () => {
    const { client } = await ownEngine();
    const end = gate();
    const flow = makeFlow({ work: { does: async (ctx: TaskContext) => (await ctx.emit('n', 1), end.opened) } });
    const handle = await client.submit(flow);
    for await (const _ of handle.stream('n')) break;
    const leaving = new AbortController();
    const left = all(client.runs.emitted(handle.id, 'n', { signal: leaving.signal }));
    await sleep(1);
    leaving.abort();
    expect((await left).length).toBeLessThanOrEqual(1);
    end.open();
    await handle.result();
    await expect(all(client.runs.emitted(handle.id, 'a b'))).rejects.toMatchObject({ code: 'NAME_INVALID' });
    await expect(all(client.runs.emitted('nobody-has-it', 'n'))).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
  });
});

test('spread tasks on other workers and mapped items are in one order, without gaps', async () => {
  const folder = ownFolder();
  const flow = makeFlow(
    {
      list: { does: () => [1, 2, 3, 4, 5, 6] },
      item: {
        each: 'list',
        spread: true,
        does: async (n: number, ctx: TaskContext) => {
          for (let at = 0; at < 5; at++) await ctx.emit('n', [n, at]);
        },
      },
    },
    { name: 'spread-emits' },
  );
  const node = await openNode([flow], { folder });
  await openNode([flow], { folder });
  const { run } = await runOn(node, flow);
  expect(run.state.name).toBe('Completed');
  const emitted = await all(node.client.runs.emitted(run.id, 'n'));
  expect(emitted.map(({ seq }) => seq)).toEqual(Array.from({ length: 30 }, (_, at) => at + 1));
  for (let n = 1; n <= 6; n++)
    expect(emitted.flatMap(({ value }) => ((value as number[])[0] === n ? [(value as number[])[1]] : []))).toEqual([0, 1, 2, 3, 4]);
});
