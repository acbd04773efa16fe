import { describe, expect, test } from 'vitest';
import type { TaskContext } from 'batuta';
import { testFlow } from 'batuta/testing';
import { failing, makeFlow } from '../../support/make-flow.ts';

const list = (length: number) => ({ does: () => Array.from({ length }, (_, at) => at) });

describe('a mapped task', () => {
  test('runs once per item, in parallel, and gives the results in the order of the items', async () => {
    let order: number[] = [];
    const does = async (item: number, factor: number, ctx: TaskContext): Promise<number> => {
      for (let turns = 5 - item; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
      order.push(item);
      return item * factor + (ctx.task.index ?? 1_000);
    };
    const run = await testFlow(makeFlow({ items: list(5), factor: { does: () => 10 }, work: { each: 'items', needs: ['factor'], does } }));
    expect(run.result).toEqual([0, 11, 22, 33, 44]);
    expect(order).not.toEqual([0, 1, 2, 3, 4]);
    order = run.tasksOf('work').map((task) => task.index ?? -1);
    expect(order.toSorted()).toEqual([0, 1, 2, 3, 4]);
    expect(
      run
        .tasksOf('work')
        .map((task) => task.key)
        .toSorted()[0],
    ).toBe('work[0]');
  });

  test('eachLimit bounds how many run at the same time', async () => {
    let now = 0;
    let most = 0;
    const does = async (): Promise<void> => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now--;
    };
    const run = await testFlow(makeFlow({ items: list(50), work: { each: 'items', eachLimit: 4, does } }));
    run.expectState('Completed');
    expect(run.tasksOf('work')).toHaveLength(50);
    expect(most).toBe(4);
  });

  test('an empty list gives an empty list, and what comes after runs', async () => {
    const run = await testFlow(
      makeFlow({ items: list(0), work: { each: 'items' }, last: { needs: ['work'], does: (given: unknown) => given } }),
    );
    run.expectState('Completed');
    expect(run.result).toEqual([]);
    expect(run.tasksOf('work')).toEqual([]);
  });

  test('skipped items are left out; when all are, the list is empty and what comes after runs', async () => {
    const some = await testFlow(
      makeFlow({ items: list(4), work: { each: 'items', when: (item: number) => item % 2 === 0, does: (item: number) => item } }),
    );
    expect(some.result).toEqual([0, 2]);
    const none = await testFlow(
      makeFlow({ items: list(3), work: { each: 'items', when: () => false }, last: { needs: ['work'], does: (given: unknown) => given } }),
    );
    expect(none.result).toEqual([]);
    expect(none.tasksOf('work').map((task) => task.state.name)).toEqual(['Skipped', 'Skipped', 'Skipped']);
  });

  test('one item that fails does not stop the others, and fails the task', async () => {
    const does = (item: number): number => (item === 2 ? failing('item 2')() : item);
    const run = await testFlow(makeFlow({ items: list(50), work: { each: 'items', eachLimit: 5, does }, last: { needs: ['work'] } }));
    run.expectState('Failed').expectTask('work', 'Failed', { index: 2 }).expectTask('last', 'UpstreamFailed');
    expect(run.tasksOf('work').filter((task) => task.state.name === 'Completed')).toHaveLength(49);
    expect(run.state.message).toBe('Task work failed: item 2');
  });

  test('each item has its own retries and its own name', async () => {
    const does = (_item: number, ctx: TaskContext): number => (ctx.task.attempt <= (ctx.task.index ?? 0) ? failing()() : ctx.task.attempt);
    const run = await testFlow(
      makeFlow({ items: list(3), work: { each: 'items', retries: 2, retryDelay: '1h', runName: 'item {item} at {index}', does } }),
    );
    expect(run.result).toEqual([1, 2, 3]);
    expect(
      run.inspection.taskRuns
        .filter((row) => row.name === 'work')
        .map((row) => row.displayName)
        .toSorted(),
    ).toEqual(['item 0 at 0', 'item 1 at 1', 'item 2 at 2']);
  });

  test.each([
    ['a number', 7],
    ['null', null],
    ['a text', 'abc'],
    ['an object', { a: 1 }],
  ])('what is no list (%s) is refused with the task that gave it', async (_, value) => {
    const run = await testFlow(makeFlow({ items: { does: () => value }, work: { each: 'items' } }));
    run.expectState('Failed').expectTask('work', 'Failed', { attempts: 0 });
    expect(run.task('work').error).toMatchObject({ code: 'OPTION_INVALID', message: expect.stringContaining('Return a list from items') });
  });

  test('whatever can be walked through is a list', async () => {
    for (const value of [new Set([1, 2]), new Uint8Array([1, 2])]) {
      expect(
        (await testFlow(makeFlow({ items: { does: () => value }, work: { each: 'items', does: (item: number) => item } }))).result,
      ).toEqual([1, 2]);
    }
  });

  test('20,000 items run, each on record', async () => {
    const run = await testFlow(
      makeFlow({
        items: list(20_000),
        work: { each: 'items', does: (item: number) => item },
        sum: { needs: ['work'], does: (all: number[]) => all.reduce((a, b) => a + b, 0) },
      }),
    );
    expect(run.result).toBe((20_000 * 19_999) / 2);
    expect(run.tasksOf('work')).toHaveLength(20_000);
  }, 60_000);
});
