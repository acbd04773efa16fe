/** The end of a task with a transaction: it commits with its record, or nothing is left of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Flow, Task, type TransactionContext } from 'batuta';
import { describe, expect, it } from 'vitest';
import { useCounters } from '../../support/counters.ts';
import { ownEngine } from '../../support/own-engine.ts';
import { dialects } from '../../support/sql-databases.ts';

describe.each(dialects)('a task with a transaction on %s', (dialect) => {
  const database = useCounters(dialect);
  const { add, counters, effectsOf } = database;

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
});
