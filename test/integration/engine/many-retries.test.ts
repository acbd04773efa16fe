import { describe, expect, test } from 'vitest';
import type { TaskContext } from 'batuta';
import { makeFlow } from '../../support/make-flow.ts';
import { systemClock } from '../../../src/base/clock.ts';
import type { TaskRun } from '../../../src/model/run.ts';
import { freeze, hang } from '../../support/take-over.ts';

/** Keeps the event loop. */
function spin(ms: number): void {
  const until = systemClock.monotonic() + ms;
  while (systemClock.monotonic() < until);
}

describe('a mapped task whose items were tried again', () => {
  const items = 600;
  const flow = (hangs: boolean, attempts: number[][] = []) =>
    makeFlow(
      {
        list: { does: () => Array.from({ length: items }, (_, at) => at) },
        load: {
          each: 'list',
          retries: 2,
          does: (item: number, ctx: TaskContext) => {
            (attempts[item] ??= []).push(ctx.task.attempt);
            if (hangs && ctx.task.attempt === 2 && item === items - 1) return hang();
            if (hangs && ctx.task.attempt === 2) return new Promise(() => undefined);
            throw new Error('again');
          },
        },
      },
      { name: 'loading' },
    );

  test('goes on with the failures of each item counted, and reads its history not at all', async () => {
    const { handle, openOther } = await freeze(flow(true));
    const attempts: number[][] = [];
    const other = flow(false, attempts);
    const { client, store } = await openOther({ flows: [other], isOwnerGone: () => true });
    let read = 0;
    const { ofRun } = store.transitions;
    Object.assign(store.transitions, { ofRun: (...asked: Parameters<typeof ofRun>) => (read++, ofRun(...asked)) });
    const run = await (await client.runs.resume(handle.id)).done();
    expect(run.state.name).toBe('Failed');
    // One failure and one interruption before, so two more attempts.
    expect(attempts).toEqual(Array.from({ length: items }, () => [3, 4]));
    expect(read).toBe(0);
  });

  test('lets others in while it goes through what is recorded', async () => {
    const { handle, openOther } = await freeze(flow(true));
    const { client, store } = await openOther({ flows: [flow(false)], isOwnerGone: () => true });
    let inTurn = 0;
    let most = 0;
    const slow = (row: TaskRun): TaskRun => {
      const { index } = row;
      return Object.defineProperty({ ...row }, 'index', {
        enumerable: true,
        get() {
          if (inTurn++ === 0) setImmediate(() => (inTurn = 0));
          most = Math.max(most, inTurn);
          spin(0.25);
          return index;
        },
      });
    };
    const { byKeyOfRun } = store.taskRuns;
    Object.assign(store.taskRuns, {
      byKeyOfRun: async (id: string) => new Map([...(await byKeyOfRun(id))].map(([key, row]) => [key, slow(row)])),
    });
    await (await client.runs.resume(handle.id)).done();
    expect(most).toBeLessThan(items / 2);
  });
});
