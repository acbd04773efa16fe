import { setTimeout as sleep } from 'node:timers/promises';
import { Flow, type FlowContext, Task, type TaskContext, type TransactionContext } from 'batuta';
import { sqlTransactions, type TransactionalPool } from 'batuta/resources';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { driverOf } from '../../../src/effects/driver.ts';
import type { Resource } from '../../../src/model/resource.ts';
import { resource } from '../../../src/resources/resource.ts';
import { ownEngine } from '../../support/own-engine.ts';
import { dialects, openSqlDatabase, type SqlDatabase } from '../../support/sql-databases.ts';

describe.each(dialects)('a task with a transaction on %s', (dialect) => {
  let database: SqlDatabase;
  beforeAll(async () => {
    database = await openSqlDatabase(dialect);
    await database.query('create table counters (name varchar(50) primary key, value integer not null)');
  });
  afterEach(async () => {
    await database.query('delete from counters');
  });
  afterAll(() => database.drop());

  const add = dialect === 'postgres' ? 'insert into counters values ($1, $2)' : 'insert into counters values (?, ?)';
  const counters = () => database.query<{ name: string; value: number }>('select name, value from counters order by name');
  const effectsOf = (runId: string) =>
    database.query<{ task_key: string; result: string; committed_at: number }>(
      `select task_key, result, committed_at from batuta_effects where run_id = '${runId}' order by task_key`,
    );

  it('commits its work with the record of it, and gives its result', async () => {
    const db = database.resource();
    @Flow({ name: 'commits' })
    class Commits {
      @Task({ transaction: db })
      async load(ctx: TransactionContext<typeof db>): Promise<{ readonly at: Date; readonly rows: number }> {
        await ctx.tx.query(add, ['a', 1]);
        await ctx.tx.query(add, ['b', 2]);
        return { at: new Date(5), rows: 2 };
      }
    }
    const { client } = await ownEngine();
    const handle = await client.submit(Commits);
    expect(await handle.result()).toEqual({ at: new Date(5), rows: 2 });
    expect(await counters()).toEqual([
      { name: 'a', value: 1 },
      { name: 'b', value: 2 },
    ]);
    const [row] = await effectsOf(handle.id);
    expect(row?.task_key).toBe('load');
    expect(JSON.parse(row?.result ?? '')).toMatchObject({ json: { rows: 2 } });
    expect(Math.abs(Number(row?.committed_at) - Date.now())).toBeLessThan(60_000);
  });

  it('is undone when it fails, and the next attempt finds nothing of it', async () => {
    const db = database.resource();
    @Flow({ name: 'fails-first' })
    class FailsFirst {
      @Task({ transaction: db, retries: 1 })
      async load(ctx: TransactionContext<typeof db>): Promise<number> {
        await ctx.tx.query(add, ['a', ctx.task.attempt]);
        if (ctx.task.attempt === 1) throw new Error('after the write');
        return ctx.task.attempt;
      }
    }
    const { client } = await ownEngine();
    const handle = await client.submit(FailsFirst);
    expect(await handle.result()).toBe(2);
    expect(await counters()).toEqual([{ name: 'a', value: 2 }]);
    expect(await effectsOf(handle.id)).toHaveLength(1);
  });

  it('is undone when its result cannot be stored', async () => {
    const db = database.resource();
    @Flow({ name: 'gives-a-function' })
    class GivesAFunction {
      @Task({ transaction: db })
      async load(ctx: TransactionContext<typeof db>): Promise<unknown> {
        await ctx.tx.query(add, ['a', 1]);
        return { rows: [() => 1] };
      }
    }
    const { client } = await ownEngine();
    const handle = await client.submit(GivesAFunction);
    await expect(handle.result()).rejects.toMatchObject({ code: 'RUN_FAILED', cause: { code: 'RESULT_NOT_SERIALIZABLE' } });
    expect([await counters(), await effectsOf(handle.id)]).toEqual([[], []]);
  });

  it('is undone by its timeout before the next attempt begins; what still uses it is refused', async () => {
    const db = database.resource(1);
    const late: unknown[] = [];
    @Flow({ name: 'times-out' })
    class TimesOut {
      @Task({ transaction: db, retries: 1, timeout: '300ms' })
      async load(ctx: TransactionContext<typeof db>): Promise<string> {
        // The next attempt would wait for ever on the same key, or be refused, where this one were not rolled back.
        await ctx.tx.query(add, ['a', ctx.task.attempt]);
        if (ctx.task.attempt === 1) {
          await sleep(600);
          await ctx.tx.query(add, ['late', 1]).catch((error: unknown) => late.push(error));
          return 'too late';
        }
        await sleep(0);
        return 'in time';
      }
    }
    const { client } = await ownEngine();
    const handle = await client.submit(TimesOut);
    expect(await handle.result()).toBe('in time');
    await expect.poll(() => late).toMatchObject([{ code: 'TRANSACTION_ENDED' }]);
    expect(await counters()).toEqual([{ name: 'a', value: 2 }]);
    const [row] = (await client.runs.inspect(handle.id)).taskRuns;
    expect(row).toMatchObject({ state: { name: 'Completed' }, attempt: 2 });
  });

  // SQLite has no statement that waits.
  if (dialect !== 'sqlite')
    it('is undone although a statement of it still runs when its time is over', async () => {
      const db = database.resource(1);
      const wait = dialect === 'postgres' ? 'select pg_sleep(20)' : 'select sleep(20)';
      @Flow({ name: 'hangs-in-a-statement' })
      class HangsInAStatement {
        @Task({ transaction: db, retries: 1, timeout: '200ms' })
        async load(ctx: TransactionContext<typeof db>): Promise<number> {
          await ctx.tx.query(add, ['a', ctx.task.attempt]);
          if (ctx.task.attempt === 1) await ctx.tx.query(wait);
          return ctx.task.attempt;
        }
      }
      const { client } = await ownEngine();
      expect(await (await client.submit(HangsInAStatement)).result()).toBe(2);
      expect(await counters()).toEqual([{ name: 'a', value: 2 }]);
    });

  it('that times out for good is TimedOut, and leaves nothing', async () => {
    const db = database.resource();
    @Flow({ name: 'times-out-for-good' })
    class TimesOutForGood {
      @Task({ transaction: db, timeout: '100ms' })
      async load(ctx: TransactionContext<typeof db>): Promise<void> {
        await ctx.tx.query(add, ['a', 1]);
        await new Promise(() => undefined);
      }
    }
    const { client } = await ownEngine();
    const handle = await client.submit(TimesOutForGood);
    await expect(handle.result()).rejects.toMatchObject({ code: 'RUN_FAILED', cause: { code: 'TASK_TIMED_OUT' } });
    const [row] = (await client.runs.inspect(handle.id)).taskRuns;
    expect(row?.state.name).toBe('TimedOut');
    expect([await counters(), await effectsOf(handle.id)]).toEqual([[], []]);
  });

  it('is undone when its run is cancelled', async () => {
    const db = database.resource();
    let begun = (): void => undefined;
    const begins = new Promise<void>((resolve) => (begun = resolve));
    @Flow({ name: 'is-cancelled' })
    class IsCancelled {
      @Task({ transaction: db })
      async load(ctx: TransactionContext<typeof db>): Promise<void> {
        await ctx.tx.query(add, ['a', 1]);
        begun();
        await new Promise(() => undefined);
      }
    }
    const { client } = await ownEngine();
    const handle = await client.submit(IsCancelled);
    await begins;
    await client.runs.cancel(handle.id);
    await expect(handle.result()).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
    expect([await counters(), await effectsOf(handle.id)]).toEqual([[], []]);
  });

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

  it('does not end its own transaction', async () => {
    const db = database.resource();
    @Flow({ name: 'commits-itself' })
    class CommitsItself {
      @Task({ transaction: db })
      async load(ctx: TransactionContext<typeof db>): Promise<void> {
        await ctx.tx.query(add, ['a', 1]);
        await ctx.tx.query(' COMMIT');
      }
    }
    const { client } = await ownEngine();
    const handle = await client.submit(CommitsItself);
    await expect(handle.result()).rejects.toMatchObject({ cause: { code: 'TRANSACTION_ENDED' } });
    expect(await counters()).toEqual([]);
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
