/** Which tasks may have a transaction, how often each takes effect, and how long that is remembered. */
import { Flow, type FlowContext, Task, type TaskContext, type TransactionContext } from 'batuta';
import { sqlTransactions, type TransactionalPool } from 'batuta/resources';
import { describe, expect, it } from 'vitest';
import { driverOf } from '../../../src/effects/driver.ts';
import type { Resource } from '../../../src/model/resource.ts';
import { resource } from '../../../src/resources/resource.ts';
import { useCounters } from '../../support/counters.ts';
import { ownEngine } from '../../support/own-engine.ts';
import { dialects } from '../../support/sql-databases.ts';

describe.each(dialects)('a task with a transaction on %s', (dialect) => {
  const database = useCounters(dialect);
  const { add, counters, effectsOf } = database;

  it('works for each item of a mapped task, equal items too', async () => {
    const db = database.resource();
    @Flow({ name: 'mapped-effects' })
    class MappedEffects {
      @Task()
      list(): string[] {
        return ['x', 'y', 'x'];
      }
      @Task({ each: 'list', transaction: db })
      async load(item: string, ctx: TransactionContext<typeof db>): Promise<string> {
        await ctx.tx.query(add, [`${item}${ctx.task.index}`, 1]);
        return item;
      }
    }
    const { client } = await ownEngine();
    const handle = await client.submit(MappedEffects);
    expect(await handle.result()).toEqual(['x', 'y', 'x']);
    expect((await counters()).map(({ name }) => name)).toEqual(['x0', 'x2', 'y1']);
    expect(await effectsOf(handle.id)).toHaveLength(3);
  });

  it('works for calls of a code flow, each by its inputs and how often they came', async () => {
    const db = database.resource();
    @Flow({ name: 'code-effects' })
    class CodeEffects {
      async run(_: unknown, ctx: FlowContext): Promise<number[]> {
        const first = await this.load('a', ctx);
        return [first, ...(await Promise.all([this.load('b', ctx), this.load('b', ctx)]))];
      }
      @Task({ transaction: db })
      async load(name: string, ctx: TransactionContext<typeof db>): Promise<number> {
        const { length } = await ctx.tx.query('select name from counters');
        await ctx.tx.query(add, [`${name}-${ctx.task.id}`, length]);
        return name.length;
      }
    }
    const { client } = await ownEngine();
    const handle = await client.submit(CodeEffects);
    expect(await handle.result()).toEqual([1, 1, 1]);
    expect(await counters()).toHaveLength(3);
    expect(await effectsOf(handle.id)).toHaveLength(3);
  });

  it('collects what a generator gives, in its transaction', async () => {
    const db = database.resource();
    @Flow({ name: 'generates' })
    class Generates {
      @Task({ transaction: db })
      async *load(ctx: TransactionContext<typeof db>): AsyncGenerator<string> {
        for (const name of ['a', 'b']) {
          await ctx.tx.query(add, [name, 1]);
          yield name;
        }
      }
    }
    const { client } = await ownEngine();
    expect(await (await client.submit(Generates)).result()).toEqual(['a', 'b']);
    expect(await counters()).toHaveLength(2);
  });

  it('that is rolled back takes effect anew when its run is retried', async () => {
    const db = database.resource();
    let fails = true;
    @Flow({ name: 'is-undone' })
    class IsUndone {
      @Task({ transaction: db, rollback: 'unload' })
      async load(ctx: TransactionContext<typeof db>): Promise<string> {
        await ctx.tx.query(add, ['a', 1]);
        return 'a';
      }
      async unload(_name: string, ctx: TaskContext): Promise<void> {
        await (await ctx.use(db)).query('delete from counters');
      }
      @Task({ needs: ['load'] })
      async use(name: string): Promise<string> {
        if (fails) throw new Error('on purpose');
        return name;
      }
    }
    const { client } = await ownEngine({ flows: [IsUndone] });
    const handle = await client.submit(IsUndone);
    await expect(handle.result()).rejects.toMatchObject({ code: 'RUN_FAILED' });
    expect([await counters(), await effectsOf(handle.id)]).toEqual([[], []]);
    fails = false;
    expect(await (await client.runs.retry(handle.id)).result()).toBe('a');
    expect([await counters(), await effectsOf(handle.id)]).toMatchObject([[{ name: 'a', value: 1 }], [{ task_key: 'load' }]]);
  });

  it('is refused by name on a resource that is no database', async () => {
    const plain = resource('plain', () => ({ query: async () => [] }));
    @Flow({ name: 'no-database' })
    class NoDatabase {
      @Task({ transaction: plain as never })
      async load(): Promise<void> {}
    }
    const { client } = await ownEngine();
    const handle = await client.submit(NoDatabase);
    await expect(handle.result()).rejects.toMatchObject({
      cause: { code: 'TRANSACTION_UNSUPPORTED', details: { task: 'load', resource: 'plain' } },
    });
  });

  it('forgets effects that are older than they are kept, when the database is next used', async () => {
    const db = database.resource();
    const fill = resource(
      'short-lived',
      async (ctx) => {
        const driver = driverOf(await ctx.use(db as Resource<TransactionalPool, void, 'worker'>));
        return sqlTransactions({ isShort: true }, { ...Object(driver), ...bound(driver), keepEffectsMs: 1_000 });
      },
      { scope: 'worker' },
    );
    @Flow({ name: 'forgets' })
    class Forgets {
      @Task({ transaction: db })
      async load(): Promise<void> {}
    }
    @Flow({ name: 'forgets-too' })
    class ForgetsToo {
      @Task({ transaction: fill as unknown as typeof db })
      async load(): Promise<void> {}
    }
    const { client } = await ownEngine();
    const first = await client.submit(Forgets);
    await first.result();
    await database.query(`update batuta_effects set committed_at = committed_at - 5000 where run_id = '${first.id}'`);
    expect(await effectsOf(first.id)).toHaveLength(1);
    const second = await client.submit(ForgetsToo);
    await second.result();
    expect([await effectsOf(first.id), await effectsOf(second.id)]).toMatchObject([[], [{ task_key: 'load' }]]);
  });
});

/** Methods of a class do not come along in a copy. */
function bound(driver: ReturnType<typeof driverOf>): object {
  return {
    dialect: driver?.dialect,
    begin: () => driver?.begin(),
    query: (text: string, values: readonly never[]) => driver?.query(text, values),
  };
}

describe('a transaction that cannot be', () => {
  it.each([
    ['a resource that is none', { transaction: {} }, 'transaction must be a resource of a database'],
    [
      'a result that is kept nowhere',
      { transaction: resource('r', () => 1), persist: false },
      'persist: false does not go with transaction',
    ],
  ])('is refused where it is declared: %s', (_, options, message) => {
    const declare = (): unknown => {
      @Flow({ name: 'declared' })
      class Declared {
        @Task(options as never)
        async load(_ctx: TaskContext): Promise<void> {}
      }
      return Declared;
    };
    expect(declare).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining(message) as string }) as Error,
    );
  });
});
