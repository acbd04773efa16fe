import pg from 'pg';
import { pgTransactions } from 'batuta/resources';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { driverOf, type TransactionDriver } from '../../../src/effects/driver.ts';
import { type EffectCall, runOnce } from '../../../src/effects/run-once.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres.ts';
import { type PostgresProxy, startProxy } from '../../support/postgres-proxy.ts';

interface Tx {
  query(text: string): Promise<unknown>;
}

describe('an effect', () => {
  let database: TestDatabase;
  let proxy: PostgresProxy;
  let pool: pg.Pool;
  let driver: TransactionDriver<Tx>;
  beforeAll(async () => {
    database = await createDatabase();
    proxy = await startProxy(database.url);
    await database.query('create table counter (value integer not null)');
    await database.query('insert into counter values (0)');
    pool = new pg.Pool({ connectionString: proxy.url, max: 4 });
    pool.on('error', () => undefined);
    pool.on('connect', (client) => client.on('error', () => undefined));
    driver = driverOf(pgTransactions(pool)) as TransactionDriver<Tx>;
  });
  afterAll(async () => {
    await pool.end();
    await proxy.close();
    await database.drop();
  });

  const { signal } = new AbortController();
  const call = (taskKey: string, more: Partial<EffectCall<Tx>> = {}): EffectCall<Tx> => ({
    ...{ driver, key: { runId: 'r', taskKey }, mayBeRepeated: true, task: 'load', signal },
    async work(tx) {
      await tx.query('update counter set value = value + 1');
      return '"done"';
    },
    ...more,
  });
  const counted = async (work: () => Promise<unknown>): Promise<number> => {
    const value = async () => (await database.query<{ value: number }>('select value from counter'))[0]?.value ?? 0;
    const before = await value();
    await work();
    return (await value()) - before;
  };

  it('is done once, and found by whoever comes later', async () => {
    const moved = await counted(async () => {
      expect(await runOnce(call('once'))).toEqual({ result: '"done"', isEarlier: false });
      expect(await runOnce(call('once', { work: () => Promise.reject(new Error('It is not called.')) }))).toEqual({
        ...{ result: '"done"', isEarlier: true },
      });
    });
    expect(moved).toBe(1);
  });

  it('keeps whatever text its result and its key are', async () => {
    const text = `'quoted' \\ "\\u0000" $1 $2 ; commit; -- é 😀 ${'x'.repeat(100_000)}`;
    const key = `load['a\\'; drop table counter; --] $3`;
    expect(await runOnce(call(key, { work: () => Promise.resolve(text) }))).toEqual({ result: text, isEarlier: false });
    expect(await runOnce(call(key))).toEqual({ result: text, isEarlier: true });
  });

  it('is undone where nobody was expected to have done it before, and was: what was recorded is given', async () => {
    const moved = await counted(async () => {
      await runOnce(call('unexpected', { mayBeRepeated: false }));
      expect(await runOnce(call('unexpected', { mayBeRepeated: false }))).toEqual({ result: '"done"', isEarlier: true });
    });
    expect(moved).toBe(1);
  });

  it('of two at the same time takes effect once, and both give what was recorded', async () => {
    let arrived = 0;
    let open = (): void => undefined;
    const both = new Promise<void>((resolve) => (open = resolve));
    const racing = (name: string): EffectCall<Tx> =>
      call('race', {
        async work(tx) {
          if (++arrived === 2) open();
          await both;
          await tx.query('update counter set value = value + 1');
          return `"${name}"`;
        },
      });
    const moved = await counted(async () => {
      const [first, second] = await Promise.all([runOnce(racing('a')), runOnce(racing('b'))]);
      expect(first.result).toBe(second.result);
      expect([first.isEarlier, second.isEarlier].sort()).toEqual([false, true]);
    });
    expect(moved).toBe(1);
  });

  it('that fails because another has written the same is what the other recorded', async () => {
    const moved = await counted(async () => {
      const outcome = await runOnce(
        call('clash', {
          async work() {
            await runOnce(call('clash'));
            throw new Error('duplicate key in the table of the user');
          },
        }),
      );
      expect(outcome).toEqual({ result: '"done"', isEarlier: true });
    });
    expect(moved).toBe(1);
  });

  it('whose commit was done and not answered has taken effect', async () => {
    const moved = await counted(async () => {
      const outcome = await runOnce(call('unanswered', { onCommit: () => proxy.cutNextAnswer() }));
      expect(outcome).toEqual({ result: '"done"', isEarlier: true });
    });
    expect([moved, proxy.cuts]).toEqual([1, 1]);
  });

  it('whose connection was lost before its commit has not, and may be done again', async () => {
    const moved = await counted(async () => {
      const lost = call('lost', {
        async onCommit() {
          await database.query(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and state = 'idle in transaction'",
          );
        },
      });
      await expect(runOnce(lost)).rejects.toMatchObject({ code: 'EFFECT_NOT_RECORDED' });
      expect(await runOnce(call('lost'))).toMatchObject({ isEarlier: false });
    });
    expect(moved).toBe(1);
  });

  it('is rolled back by its signal, also while it works', async () => {
    const stop = new AbortController();
    const moved = await counted(async () => {
      const stopped = runOnce(
        call('stopped', {
          signal: stop.signal,
          async work(tx) {
            await tx.query('update counter set value = value + 1');
            stop.abort(new Error('stopped'));
            await new Promise(() => undefined);
            return null;
          },
        }),
      );
      await expect(stopped).rejects.toThrow('stopped');
    });
    expect(moved).toBe(0);
  });

  it('is refused by name where its table cannot be made', async () => {
    const other = await createDatabase();
    const role = `r${Date.now()}`;
    await other.query(`create role ${role} login password 'x'`);
    const url = new URL(other.url);
    [url.username, url.password] = [role, 'x'];
    const poor = new pg.Pool({ connectionString: url.href, max: 1 });
    try {
      const refused = runOnce(call('refused', { driver: driverOf(pgTransactions(poor)) as TransactionDriver<Tx> }));
      await expect(refused).rejects.toMatchObject({
        code: 'EFFECTS_UNAVAILABLE',
        message: expect.stringContaining('create table if not exists') as string,
      });
    } finally {
      await poor.end();
      await other.drop();
      await database.query(`drop role ${role}`);
    }
  });
});
