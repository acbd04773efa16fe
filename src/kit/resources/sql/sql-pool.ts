/** Interface of the ready-made databases: statements, and transactions of several. */
import {
  type OpenTransaction,
  runWithin,
  type SqlRow,
  sqlTransactions,
  type Transactional,
  type TransactionDriver,
} from '../../../effects/driver.ts';

/** Statements in a transaction. Refused after its end. */
export interface SqlTransaction {
  /**
   * Runs one statement and returns its rows as objects, an empty list if it has none.
   *
   * @param values parameters: `$1`, `$2` and so on in the text on PostgreSQL, `?` on SQLite and MySQL
   * @throws the error of the database; BatutaError TRANSACTION_ENDED
   */
  query<Row extends object = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

/** An open database. */
export interface SqlPool extends SqlTransaction {
  /** The kind of database. */
  readonly dialect: TransactionDriver<unknown>['dialect'];
  /**
   * Runs the work in one transaction, alone on its connection: commits when it resolves, rolls back when it rejects. Not nested.
   *
   * @throws what the work throws, or the database at the commit
   */
  transaction<R>(work: (tx: SqlTransaction) => Promise<R>): Promise<R>;
}

/** What `@Task({ transaction })` uses of a ready resource: `ctx.tx` is a `SqlTransaction`. */
export type TransactionalPool = SqlPool & Transactional<SqlTransaction>;

/** Runs the statements of users and effects alike. */
export interface PoolDriver extends TransactionDriver<SqlTransaction> {
  query(text: string, values: readonly unknown[]): Promise<readonly SqlRow[]>;
}

/** The pool over a driver. */
export function poolOver(driver: PoolDriver): TransactionalPool {
  const pool: SqlPool = {
    dialect: driver.dialect,
    query: async <Row extends object>(text: string, values: readonly unknown[] = []) => [...(await driver.query(text, values))] as Row[],
    async transaction(work) {
      const open = await driver.begin();
      let value: Awaited<ReturnType<typeof work>>;
      try {
        value = await runWithin(driver, () => work(open.tx));
      } catch (error) {
        await open.rollback(false);
        throw error;
      }
      await commit(open);
      return value;
    },
  };
  return sqlTransactions<SqlPool, SqlTransaction>(pool, driver);
}

async function commit(open: OpenTransaction<unknown>): Promise<void> {
  try {
    await open.commit();
  } catch (error) {
    await open.rollback(false);
    throw error;
  }
}
