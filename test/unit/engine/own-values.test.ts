import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { Flow, type FlowContext, Task, type TaskContext } from 'batuta';
import { testFlow } from 'batuta/testing';
import { makeFlow } from '../../support/make-flow.ts';

interface Row {
  n: number;
}
const rows = (): Row[] => [{ n: 3 }, { n: 1 }, { n: 2 }];
const spoil = (list: Row[]): number => {
  list.sort((a, b) => a.n - b.n);
  if (list[0]) list[0].n = 99;
  list.pop();
  return list.length;
};

describe('what a task is given is its own', () => {
  test('a task that changes its input or ctx.params changes them for nobody else', async () => {
    const flow = makeFlow({
      rows: { does: rows },
      sorter: {
        needs: ['rows'],
        does: (given: Row[], ctx: TaskContext<{ list: number[] }>) => {
          ctx.params.list.push(4);
          return [spoil(given), ctx.params.list.length];
        },
      },
      later: { needs: ['rows'], after: ['sorter'], does: (given: Row[], ctx: TaskContext<{ list: number[] }>) => [given, ctx.params.list] },
    });
    const run = await testFlow(flow, { list: [1] });
    expect(run.task('sorter').result).toEqual([2, 2]);
    expect(run.task('later').result).toEqual([rows(), [1]]);
  });

  test('the task that gave a value does not see what others do to it, nor they what it does later', async () => {
    const constant = { rows: rows(), at: new Date(0) };
    const flow = makeFlow({
      give: { does: () => constant },
      change: {
        needs: ['give'],
        does: (given: typeof constant) => {
          given.at.setFullYear(2000);
          return spoil(given.rows);
        },
      },
      giverChanges: { after: ['change'], does: () => (constant.rows.length = 1) },
      look: { needs: ['give'], after: ['giverChanges'], does: (given: typeof constant) => [given.rows.length, given.at.getTime()] },
    });
    const run = await testFlow(flow);
    expect(constant.at.getTime()).toBe(0);
    expect(run.task('look').result).toEqual([3, 0]);
  });

  test('an attempt gets what the one before it got, whatever that did to it; so does the task after its condition', async () => {
    const seen: unknown[] = [];
    const flow = makeFlow({
      rows: { does: rows },
      list: { does: () => [rows(), rows()] },
      tried: {
        needs: ['rows'],
        retries: 2,
        when: (given: Row[]) => spoil(given) > 0,
        does: (given: Row[], ctx: TaskContext<Row>) => {
          seen.push([structuredClone(given), ctx.params.n++]);
          spoil(given);
          if (seen.length < 3) throw new Error('again');
        },
      },
      each: {
        each: 'list',
        needs: ['rows'],
        after: ['tried'],
        retries: 1,
        does: (item: Row[], _rows: Row[], ctx: TaskContext) => {
          seen.push(structuredClone(item));
          spoil(item);
          if (ctx.task.attempt === 1) throw new Error('again');
        },
      },
    });
    const run = await testFlow(flow, { n: 7 });
    run.expectState('Completed');
    expect(seen).toEqual([...Array.from({ length: 3 }, () => [rows(), 7]), ...Array.from({ length: 4 }, rows)]);
  });

  test('an item of a mapped task is its own, also where the list has it twice; what all items share is frozen', async () => {
    const shared = { n: 0 };
    const tries: (() => unknown)[] = [];
    const flow = makeFlow({
      list: { does: () => [shared, shared, shared] },
      table: { does: () => ({ rows: rows(), ids: new Map([['a', new Set([1])]]), at: new Date(0) }) },
      each: {
        each: 'list',
        needs: ['table'],
        does: (item: Row, table: { rows: Row[]; ids: Map<string, Set<number>>; at: Date }, ctx: TaskContext<{ tags: string[] }>) => {
          if (item.n++ === 0 && ctx.task.index === 0)
            tries.push(
              () => table.rows.sort(),
              () => table.rows.push({ n: 4 }),
              () => Object.assign(table.rows[0] ?? {}, { n: 4 }),
              () => table.ids.set('b', new Set()),
              () => table.ids.get('a')?.add(2),
              () => table.at.setFullYear(2000),
              () => ctx.params.tags.push('x'),
            );
          for (const change of tries) expect(change).toThrow(TypeError);
          return [item.n, table.rows.map(({ n }) => n), table.ids.get('a')?.size, ctx.params.tags.length];
        },
      },
    });
    const run = await testFlow(flow, { tags: ['a'] });
    run.expectState('Completed');
    expect(run.tasksOf('each').map(({ result }) => result)).toEqual(Array.from({ length: 3 }, () => [1, [3, 1, 2], 1, 1]));
    expect(shared.n).toBe(0);
  });

  test('what cannot be frozen each item gets as a copy of its own', async () => {
    const flow = makeFlow({
      list: { does: () => [1, 2] },
      bytes: { does: () => ({ data: Buffer.from([0]) }) },
      each: {
        each: 'list',
        needs: ['bytes'],
        does: (item: number, bytes: { data: Buffer }) => (bytes.data[0] = (bytes.data[0] ?? 0) + item),
      },
    });
    const run = await testFlow(flow);
    expect(run.tasksOf('each').map(({ result }) => result)).toEqual([1, 2]);
  });

  test('the body of a code flow and the tasks it calls do not see what the other does to a value; nor do the tasks among each other', async () => {
    const constant = rows();
    @Flow()
    class Bodied {
      async run(params: { list: number[] }, ctx: FlowContext): Promise<unknown> {
        const given = await this.give();
        const before = structuredClone(given);
        const [first, second] = await Promise.all([this.change(given, 'a'), this.change(given, 'b')]);
        spoil(given);
        params.list.push(2);
        const child = { rows: rows() };
        const below = (await ctx.runFlow(Child, child)) as Row[];
        spoil(below);
        return [before, first, second, child.rows, await this.look(given), (ctx.params as { list: number[] }).list, constant];
      }
      @Task() async give(): Promise<Row[]> {
        return constant;
      }
      @Task({ retries: 1 }) async change(given: Row[], _name: string, ctx?: TaskContext): Promise<number> {
        const length = given.length;
        spoil(given);
        if ((ctx?.task.attempt ?? 2) === 1) throw new Error('again');
        return length;
      }
      @Task() async look(given: Row[]): Promise<Row[]> {
        return given;
      }
    }
    @Flow()
    class Child {
      @Task() async spoil(ctx: TaskContext<{ rows: Row[] }>): Promise<Row[]> {
        spoil(ctx.params.rows);
        return constant;
      }
    }
    const run = await testFlow(Bodied, { list: [1] });
    const spoiled = rows();
    spoil(spoiled);
    expect(run.result).toEqual([rows(), 3, 3, rows(), spoiled, [1, 2], rows()]);
  });

  test('what is given in memory is what is given from the record: plain objects without getters, not frozen', async () => {
    const flow = makeFlow({
      give: {
        does: () => ({
          get a() {
            return [1];
          },
          frozen: Object.freeze({ b: 1 }),
          error: Object.assign(new TypeError('t'), { code: 'E' }),
        }),
      },
      look: {
        needs: ['give'],
        does: (given: { a: number[]; frozen: object; error: Error }) => [
          Object.getOwnPropertyDescriptor(given, 'a')?.get === undefined,
          Object.isFrozen(given.frozen),
          given.error instanceof TypeError,
          Object.entries(given.error),
        ],
      },
    });
    expect((await testFlow(flow)).task('look').result).toEqual([true, false, true, [['code', 'E']]]);
  });

  test('what is kept in memory only is handed on as it is', async () => {
    const pool = new (class Pool {
      used = 0;
    })();
    const flow = makeFlow({
      open: { persist: false, does: () => pool },
      use: { needs: ['open'], does: (given: typeof pool) => given === pool },
    });
    expect((await testFlow(flow)).task('use').result).toBe(true);
  });
});
