import { Flow, type Resource, resource, Task, type TransactionContext } from 'batuta';
import {
  drizzleTransactions,
  kyselyTransactions,
  mysql2Transactions,
  pgTransactions,
  sqliteTransactions,
  typeormTransactions,
} from 'batuta/resources';
import { sql } from 'drizzle-orm';
import { drizzle as drizzleMysql } from 'drizzle-orm/mysql2';
import { drizzle } from 'drizzle-orm/node-postgres';
import { type Generated, Kysely, MysqlDialect, PostgresDialect } from 'kysely';
import Sqlite from 'libsql';
import { createPool as createCallbackPool } from 'mysql2';
import { createPool } from 'mysql2/promise';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ownEngine } from '../../support/own-engine.ts';
import { openSqlDatabase, type SqlDatabase, type TestDialect } from '../../support/sql-databases.ts';

interface Tables {
  readonly loaded: { readonly id: Generated<number> | number; readonly text: string };
}

const options = { scope: 'run' } as const;

/** A flow that writes once, fails once after that, and whose late use must be refused. */
function flowOver<R extends Resource<never, void>>(
  name: string,
  db: R,
  write: (ctx: TransactionContext<R>, text: string) => Promise<unknown>,
): { readonly flow: new () => object; readonly late: () => Promise<unknown> } {
  let late: () => Promise<unknown> = () => Promise.reject(new Error('It was not called.'));
  class Writes {
    async load(ctx: TransactionContext<R>): Promise<string> {
      await write(ctx, `${name} ${ctx.task.attempt}`);
      late = async () => write(ctx, 'late');
      if (ctx.task.attempt === 1) throw new Error('after the write');
      return name;
    }
  }
  const property = Object.getOwnPropertyDescriptor(Writes.prototype, 'load');
  const decorate = Task({ transaction: db as never, retries: 1 }) as unknown as (...spot: unknown[]) => PropertyDescriptor | undefined;
  Object.defineProperty(Writes.prototype, 'load', decorate(Writes.prototype, 'load', property) ?? (property as PropertyDescriptor));
  (Flow({ name }) as unknown as (cls: unknown) => void)(Writes);
  return { flow: Writes, late: () => late() };
}

describe.each(['postgres', 'mysql', 'sqlite'] as const)('transactions on %s', (dialect: TestDialect) => {
  let database: SqlDatabase;
  beforeAll(async () => {
    database = await openSqlDatabase(dialect);
    await database.query('create table loaded (id integer, text varchar(100) not null)');
  }, 120_000);
  afterAll(() => database.drop());

  const makers: Readonly<Record<string, () => ReturnType<typeof flowOver>>> = {
    ...(dialect === 'postgres' && {
      pg() {
        const db = resource(
          'pg',
          async function* () {
            const pool = new pg.Pool({ connectionString: database.address });
            yield pgTransactions(pool);
            await pool.end();
          },
          options,
        );
        return flowOver('over-pg', db as never, async (ctx, text) =>
          (ctx as unknown as TransactionContext<typeof db>).tx.query('insert into loaded values (1, $1)', [text]),
        );
      },
      kysely() {
        const db = resource(
          'kysely',
          async function* () {
            const kysely = new Kysely<Tables>({
              dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: database.address }) }),
            });
            yield kyselyTransactions(kysely, 'postgres');
            await kysely.destroy();
          },
          options,
        );
        return flowOver('over-kysely', db as never, (ctx, text) =>
          (ctx as unknown as TransactionContext<typeof db>).tx.insertInto('loaded').values({ id: 1, text }).execute(),
        );
      },
      drizzle() {
        const db = resource(
          'drizzle',
          async function* () {
            const pool = new pg.Pool({ connectionString: database.address });
            yield drizzleTransactions(drizzle(pool), 'postgres');
            await pool.end();
          },
          options,
        );
        return flowOver('over-drizzle', db as never, async (ctx, text) =>
          (ctx as unknown as TransactionContext<typeof db>).tx.execute(sql`insert into loaded values (1, ${text})`),
        );
      },
      typeorm() {
        const db = resource(
          'typeorm',
          async function* () {
            const source = await new DataSource({ type: 'postgres', url: database.address }).initialize();
            yield typeormTransactions(source);
            await source.destroy();
          },
          options,
        );
        return flowOver('over-typeorm', db as never, async (ctx, text) =>
          (ctx as unknown as TransactionContext<typeof db>).tx.query('insert into loaded values (1, $1)', [text]),
        );
      },
    }),
    ...(dialect === 'mysql' && {
      mysql2() {
        const db = resource(
          'mysql2',
          async function* () {
            const pool = createPool(database.address);
            yield mysql2Transactions(pool);
            await pool.end();
          },
          options,
        );
        return flowOver('over-mysql2', db as never, async (ctx, text) =>
          (ctx as unknown as TransactionContext<typeof db>).tx.execute('insert into loaded values (1, ?)', [text]),
        );
      },
      kysely() {
        const db = resource(
          'kysely-mysql',
          async function* () {
            const kysely = new Kysely<Tables>({ dialect: new MysqlDialect({ pool: createCallbackPool(database.address) }) });
            yield kyselyTransactions(kysely, 'mysql');
            await kysely.destroy();
          },
          options,
        );
        return flowOver('over-kysely-mysql', db as never, (ctx, text) =>
          (ctx as unknown as TransactionContext<typeof db>).tx.insertInto('loaded').values({ id: 1, text }).execute(),
        );
      },
      drizzle() {
        const db = resource(
          'drizzle-mysql',
          async function* () {
            const pool = createPool(database.address);
            yield drizzleTransactions(drizzleMysql(pool), 'mysql');
            await pool.end();
          },
          options,
        );
        return flowOver('over-drizzle-mysql', db as never, async (ctx, text) =>
          (ctx as unknown as TransactionContext<typeof db>).tx.execute(sql`insert into loaded values (1, ${text})`),
        );
      },
    }),
    ...(dialect === 'sqlite' && {
      libsql() {
        const db = resource(
          'libsql',
          function* () {
            const file = new Sqlite(database.address);
            yield sqliteTransactions(file);
            file.close();
          },
          options,
        );
        return flowOver('over-libsql', db as never, async (ctx, text) =>
          (ctx as unknown as TransactionContext<typeof db>).tx.prepare('insert into loaded values (1, ?)').run(text),
        );
      },
    }),
  };

  it.each(Object.keys(makers))('of %s commit once, and refuse to be used afterwards', async (library) => {
    const make = makers[library];
    if (make === undefined) throw new Error(library);
    const { flow, late } = make();
    const { client } = await ownEngine();
    const handle = await client.submit(flow);
    const name = await handle.result();
    const rows = await database.query<{ text: string }>(`select text from loaded where text like '${String(name)} %' or text = 'late'`);
    expect(rows).toEqual([{ text: `${String(name)} 2` }]);
    expect(await database.query(`select task_key from batuta_effects where run_id = '${handle.id}'`)).toHaveLength(1);
    await expect(late()).rejects.toThrow();
    expect(await database.query("select text from loaded where text = 'late'")).toEqual([]);
  });
});
