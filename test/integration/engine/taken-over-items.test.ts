import { dirname, join } from 'node:path';
import Database from 'libsql';
import { describe, expect, test } from 'vitest';
import { hang, takeOver } from '../../support/take-over.ts';
import { makeFlow, type TaskShape } from '../../support/make-flow.ts';
import { ownEngine } from '../../support/own-engine.ts';
import { openNode, runOn } from '../fleet/spread-node.ts';

/** A flow that maps over a list that is not recorded; what is paid stands in `paid`, and `down` fails. */
function payments(list: () => unknown, paid: unknown[], down: () => unknown, shape: TaskShape = {}): ReturnType<typeof makeFlow> {
  return makeFlow({
    rows: { persist: false, does: list },
    pay: {
      each: 'rows',
      ...shape,
      does: (who: unknown) => {
        if (who === down()) throw new Error('down');
        paid.push(who);
        return { for: who };
      },
    },
    report: {
      needs: ['rows', 'pay'],
      does: (rows: unknown[], results: { for: unknown }[]) => rows.map((row, at) => [row, results[at]?.for]),
    },
  });
}

describe('recorded items of a mapped task', () => {
  test.each([
    ['an item before them', ['a', 'b', 'c'], ['new', 'a', 'b', 'c'], ['new', 'c']],
    ['another order', ['a', 'b', 'c'], ['c', 'b', 'a'], ['c']],
    ['equal items', ['a', 'a', 'c', 'b'], ['b', 'a', 'a', 'a', 'c'], ['a', 'c']],
    ['items that are gone', ['x', 'y', 'a', 'c'], ['a', 'c'], ['c']],
  ])('are taken by what the item is: a list with %s runs what is new, and nothing twice', async (_, before, after, paidLater) => {
    const paid: unknown[] = [];
    let list: unknown[] = before;
    const down = (): unknown => (list === before ? 'c' : null);
    const flow = payments(() => list, paid, down);
    const { client, store } = await ownEngine({ flows: [flow] });
    const first = await client.submit(flow);
    expect((await first.done()).state.name).toBe('Failed');
    expect(paid.splice(0)).toEqual(before.filter((who) => who !== 'c'));
    list = after;
    const again = await client.runs.retry(first.id);
    expect((await again.done()).state.name).toBe('Completed');
    expect([...paid].sort()).toEqual([...paidLater].sort());
    expect(await again.result()).toEqual(after.map((who) => [who, who]));
    // The place that people see is that of now.
    const completed = (await store.taskRuns.ofRun(first.id)).filter((row) => row.name === 'pay' && row.state.name === 'Completed');
    for (const [index, who] of after.entries())
      expect(completed.filter((row) => row.index === index).map((row) => row.result)).toContain(JSON.stringify({ json: { for: who } }));
  });

  test('are distinguished also where they are objects, lists, dates or instances of a class', async () => {
    class Money {
      constructor(readonly amount: number) {}
    }
    const make = (): unknown[] => [{ id: 1 }, { id: 2 }, [1], new Date(5), new Map([[1, 2]]), new Money(3), 7, '7', null];
    const paid: unknown[] = [];
    let list = make();
    let later = false;
    const flow = makeFlow({
      rows: { persist: false, does: () => list },
      pay: {
        each: 'rows',
        does: (who: unknown) => {
          if (who === null && !later) throw new Error('down');
          paid.push(who);
        },
      },
    });
    const { client } = await ownEngine({ flows: [flow] });
    const first = await client.submit(flow);
    await first.done();
    expect(paid.splice(0)).toEqual(make().slice(0, 8));
    later = true;
    list = [new Money(4), ...make().reverse()];
    const again = await client.runs.retry(first.id);
    expect((await again.done()).state.name).toBe('Completed');
    expect(paid).toEqual([new Money(4), null]);
  });

  test('over another task, as in another version of the flow, no result goes to an item that it is not of', async () => {
    const mapped = (source: string, hangs: boolean): ReturnType<typeof makeFlow> =>
      makeFlow({
        one: { does: () => [1, 2, 3] },
        ten: { does: () => [10, 2, 30] },
        each: { each: source, eachLimit: 1, does: (item: number) => (hangs && item === 3 ? hang() : item) },
      });
    const { run, result } = await takeOver(mapped('one', true), mapped('ten', false));
    expect(run.state.name).toBe('Completed');
    expect(result).toMatchObject({ each: [10, 2, 30] });
  });

  test('of a store of before, which say nothing of their item, are taken by their place', async () => {
    const executed: number[] = [];
    const mapped = (hangs: boolean): ReturnType<typeof makeFlow> =>
      makeFlow({
        list: { does: () => [1, 2, 3] },
        each: {
          each: 'list',
          eachLimit: 1,
          does: (item: number) => {
            if (hangs && item === 3) return hang();
            executed.push(item);
            return item;
          },
        },
      });
    const { result } = await takeOver(mapped(true), mapped(false), {
      between: async ({ results }) => {
        const database = new Database(join(dirname(results), 'batuta.db'));
        expect(database.prepare('update task_runs set item_hash = null where item_hash is not null').run().changes).toBe(3);
        database.close();
      },
    });
    expect(result).toEqual([1, 2, 3]);
    expect(executed).toEqual([1, 2, 3]);
  });

  test('that any worker has executed are taken by what they are as well', async () => {
    const paid: unknown[] = [];
    let list = ['a', 'b', 'c'];
    const flow = payments(
      () => list,
      paid,
      () => (list.length === 3 ? 'c' : null),
      { spread: true },
    );
    const node = await openNode([flow]);
    const { run } = await runOn(node, flow);
    expect(run.state.name).toBe('Failed');
    expect(paid.splice(0).sort()).toEqual(['a', 'b']);
    list = ['new', ...list];
    const again = await node.client.runs.retry(run.id);
    expect((await again.done()).state.name).toBe('Completed');
    expect(paid.sort()).toEqual(['c', 'new']);
    expect(await again.result()).toEqual(list.map((who) => [who, who]));
  });
});
