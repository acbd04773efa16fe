/** Code of an attempt that has ended and still goes on: what it does to its context changes nothing. */
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Flow, type FlowContext, Task, type TaskContext } from 'batuta';
import { filter } from 'batuta/streams';
import { fakeClock, testFlow } from 'batuta/testing';
import { gate, makeFlow } from '../../support/make-flow.ts';
import { openNode, runOn } from '../../integration/fleet/spread-node.ts';
import { ownFolder } from '../../support/own-engine.ts';

/** Everything that a task can do to its context. */
async function writeAll(ctx: TaskContext, by: string): Promise<void> {
  await ctx.artifact.markdown('doc', `saved by ${by}`);
  await ctx.artifact.json('facts', { by });
  ctx.progress(by === 'attempt 1' ? 1 : 2, 2);
  ctx.metrics.add('writes');
  ctx.metrics.set(by, 1);
  ctx.reject({ by }, 'bad');
}

const ofSecond = {
  artifacts: [
    ['doc', 'saved by attempt 2'],
    ['facts', { by: 'attempt 2' }],
    ['work', [{ record: { by: 'attempt 2' }, reason: 'bad' }]],
  ],
  row: { attempt: 2, progress: { done: 2, total: 2 }, metrics: { writes: 1, 'attempt 2': 1, rejected: 1 } },
} as const;

describe('an attempt that has ended', () => {
  test.each<readonly [string, (ctx: TaskContext, sleep: (ms: '1h') => Promise<void>, late: Promise<void>) => Promise<unknown>]>([
    ['by its timeout', (_, sleep) => sleep('1h')],
    ['by a failure beside what it still does', (_ctx, _sleep, late) => Promise.all([late, Promise.reject(new Error('it broke'))])],
  ])('%s writes nothing beside the next one', async (_, end) => {
    const clock = fakeClock();
    const second = gate();
    const written = gate();
    const does = async (ctx: TaskContext): Promise<string> => {
      if (ctx.task.attempt === 1) {
        const late = second.opened.then(() => writeAll(ctx, 'attempt 1')).then(() => written.open());
        await end(ctx, (ms) => clock.sleep(ms), late);
      }
      second.open();
      await written.opened;
      await writeAll(ctx, 'attempt 2');
      return 'done';
    };
    const run = await testFlow(makeFlow({ work: { timeout: '1m', retries: 1, does } }), {}, { clock });
    run.expectState('Completed');
    expect(run.artifacts.map(({ name, data }) => [name, data])).toEqual(ofSecond.artifacts);
    expect(run.inspection.taskRuns[0]).toMatchObject(ofSecond.row);
  });

  test('writes nothing in answer to the signal of its timeout', async () => {
    const clock = fakeClock();
    const does = async (ctx: TaskContext): Promise<void> => {
      ctx.signal.addEventListener('abort', () => void writeAll(ctx, 'attempt 1'));
      await clock.sleep('1h');
    };
    const run = await testFlow(makeFlow({ work: { timeout: '1m', does } }), {}, { clock });
    run.expectTask('work', 'TimedOut');
    expect([run.artifacts, run.inspection.taskRuns[0]?.progress, run.inspection.taskRuns[0]?.metrics]).toEqual([[], null, null]);
  });

  test('writes nothing once it has given its value', async () => {
    const next = gate();
    const written = gate();
    const does = (ctx: TaskContext): string => {
      void next.opened.then(() => writeAll(ctx, 'attempt 1')).then(() => written.open());
      return 'done';
    };
    const wait = async (): Promise<void> => {
      next.open();
      await written.opened;
    };
    const run = await testFlow(makeFlow({ work: { does }, wait: { needs: ['work'], does: wait } }));
    run.expectState('Completed');
    expect([run.artifacts, run.task('work').metrics]).toEqual([[], {}]);
  });

  test('is named by its lines, which say that it had ended; one of them says that something was dropped', async () => {
    const clock = fakeClock();
    const second = gate();
    const written = gate();
    const does = async (ctx: TaskContext): Promise<void> => {
      ctx.log.info('in time');
      if (ctx.task.attempt === 1) {
        void second.opened.then(async () => {
          ctx.log.info('too late');
          await writeAll(ctx, 'attempt 1');
          written.open();
        });
        await clock.sleep('1h');
      }
      second.open();
      await written.opened;
    };
    const run = await testFlow(makeFlow({ work: { timeout: '1m', retries: 1, does } }), {}, { clock });
    const told = run.logs.filter(({ message }) => !message.includes('failed')).map(({ message, fields }) => [message, fields]);
    expect(told).toEqual([
      ['in time', { attempt: 1 }],
      ['in time', { attempt: 2 }],
      ['too late', { attempt: 1, late: true }],
      ['Attempt 1 has ended: what its code still reports or keeps is dropped.', { attempt: 1, late: true }],
    ]);
  });

  test('of what it has passed over as it read says nothing: those are counts of its own', async () => {
    const clock = fakeClock();
    const ended = gate();
    const does = async (ctx: TaskContext): Promise<void> => {
      if (ctx.task.attempt > 1) return ended.opened;
      async function* numbers(): AsyncGenerator<number> {
        // The first is counted at once, and others are counted together.
        yield* [1, 2, 3];
        await Promise.race([aborted, clock.sleep('1h')]);
      }
      const aborted = new Promise<void>((resolve) => ctx.signal.addEventListener('abort', () => resolve()));
      for await (const _ of filter(numbers(), () => false));
      ended.open();
    };
    const run = await testFlow(makeFlow({ work: { timeout: '1m', retries: 1, does } }), {}, { clock });
    run.expectState('Completed');
    expect(run.logs.map(({ message }) => message).filter((message) => message.includes('has ended'))).toEqual([]);
  });

  test('of a code flow keeps nothing once its run has ended', async () => {
    const ended = gate();
    const written = gate();
    @Flow({ timeout: '1m' })
    class Endless {
      async run(_params: unknown, ctx: FlowContext): Promise<void> {
        void ended.opened.then(() => writeAll(ctx, 'attempt 1')).then(() => written.open());
        await ctx.sleep('1h');
      }
      @Task()
      async any(): Promise<void> {}
    }
    const run = await testFlow(
      Endless,
      {},
      { onEvent: (event) => void (event.kind === 'run' && event.run.endedAt !== null && ended.open()) },
    );
    run.expectState('TimedOut');
    await written.opened;
    await turn();
    expect(run.artifacts).toEqual([]);
  });

  test('of a spread task writes nothing beside the next one', async () => {
    const second = gate();
    const written = gate();
    const does = async (ctx: TaskContext): Promise<string> => {
      if (ctx.task.attempt === 1) {
        void second.opened.then(() => writeAll(ctx, 'attempt 1')).then(() => written.open());
        await new Promise(() => undefined);
      }
      second.open();
      await written.opened;
      await writeAll(ctx, 'attempt 2');
      return 'done';
    };
    const flow = makeFlow({ work: { spread: true, timeout: 50, retries: 1, does } });
    const node = await openNode([flow], { folder: ownFolder() });
    const { run } = await runOn(node, flow);
    const inspection = await node.client.runs.inspect(run.id);
    expect(run.state.name).toBe('Completed');
    expect(inspection.artifacts.map(({ name, data }) => [name, data])).toEqual(ofSecond.artifacts);
    expect(inspection.taskRuns[0]).toMatchObject(ofSecond.row);
  });
});
