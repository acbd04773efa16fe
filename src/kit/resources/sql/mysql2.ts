/** Transactions over a `mysql2/promise` pool: the user's own, or that of the ready resource `mysql`. */
import { settledWithin, systemClock } from '../../../base/clock.ts';
import {
  type EffectOptions,
  keepMsOf,
  type OpenTransaction,
  type SqlRow,
  sqlTransactions,
  type Transactional,
  type TransactionDriver,
} from '../../../effects/driver.ts';
import { TransactionLife } from './transaction-life.ts';

/** How long to wait for another connection to end a statement; without one its own is closed. */
const killWaitMs = 1_000;

type Query = (...args: unknown[]) => Promise<readonly unknown[]>;

/** What is used of a `mysql2/promise` connection. */
interface Mysql2Connection {
  query: Query;
  execute: Query;
  release(): void;
  destroy(): void;
  readonly threadId?: number | null;
}

/** A connection closed after ending a statement. */
export interface KillConnection {
  query: Query;
  end(): Promise<void>;
}

/** What is used of a `mysql2/promise` pool. */
export interface Mysql2Pool {
  query: Query;
  getConnection(): Promise<Mysql2Connection>;
}

/** A task's `ctx.tx` with a `mysql2` pool: the pool's `query` and `execute`, on one connection. */
export type Mysql2Tx<Pool> = Pool extends { query: unknown; execute: unknown } ? Pick<Pool, 'query' | 'execute'> : never;

/** A `mysql2/promise` pool, unchanged, whose transactions can carry tasks. A statement still running when its task is stopped is killed. */
export function mysql2Transactions<Pool extends { query: unknown; execute: unknown; getConnection: unknown }>(
  pool: Pool,
  options?: EffectOptions,
): Pool & Transactional<Mysql2Tx<Pool>> {
  const txOf = (query: Query, execute: Query) => ({ query, execute }) as unknown as Mysql2Tx<Pool>;
  return sqlTransactions(pool, new Mysql2Driver(pool as unknown as Mysql2Pool, txOf, keepMsOf(options)));
}

export class Mysql2Driver<Tx> implements TransactionDriver<Tx> {
  readonly dialect = 'mysql';
  readonly keepEffectsMs: number;
  readonly #pool: Mysql2Pool;
  readonly #txOf: (query: Query, execute: Query) => Tx;
  readonly #connect: (() => Promise<KillConnection>) | null;

  /**
   * @param txOf a task's transaction, over the queries of one connection
   * @param connect connects outside the pool, whose connections may all be busy when a statement must be ended
   */
  constructor(
    pool: Mysql2Pool,
    txOf: (query: Query, execute: Query) => Tx,
    keepEffectsMs: number,
    connect: (() => Promise<KillConnection>) | null = null,
  ) {
    this.#connect = connect;
    this.#pool = pool;
    this.#txOf = txOf;
    this.keepEffectsMs = keepEffectsMs;
  }

  async query(text: string, values: readonly unknown[]): Promise<readonly SqlRow[]> {
    return rowsOf(await this.#pool.query(text, [...values]));
  }

  async begin(): Promise<OpenTransaction<Tx>> {
    const connection = await this.#pool.getConnection();
    const life = new TransactionLife({ release: (isLost) => (isLost ? connection.destroy() : connection.release()) });
    try {
      await connection.query('begin');
    } catch (error) {
      life.release(true);
      throw error;
    }
    const within =
      (method: Query): Query =>
      (...args) =>
        life.statement(args[0], () => method.apply(connection, args));
    return {
      tx: this.#txOf(within(connection.query), within(connection.execute)),
      query: async (text, values) => rowsOf(await connection.query(text, [...values])),
      async commit() {
        life.end();
        await connection.query('commit');
        life.release(false);
      },
      rollback: async (isAborted) => {
        life.end();
        if (life.isReleased) return;
        if (isAborted && life.isBusy && !(await this.#kill(connection))) return life.release(true);
        const isLost = await connection.query('rollback').then(
          () => false,
          () => true,
        );
        life.release(isLost);
      },
    };
  }

  /** Kills the statement its connection is executing. False if no other connection is free to do so. */
  async #kill({ threadId }: Mysql2Connection): Promise<boolean> {
    const killed = this.#connect ? killOver(this.#connect, Number(threadId)) : this.#pool.query(killText(Number(threadId)), []);
    killed.catch(() => undefined);
    return await settledWithin(systemClock, killWaitMs, killed);
  }
}

function killText(threadId: number): string {
  return `kill query ${threadId}`;
}

async function killOver(connect: () => Promise<KillConnection>, threadId: number): Promise<void> {
  const connection = await connect();
  try {
    await connection.query(killText(threadId), []);
  } finally {
    await connection.end();
  }
}

/** For a statement without rows the driver returns an object about it. */
export function rowsOf([rows]: readonly unknown[]): SqlRow[] {
  return Array.isArray(rows) ? (rows as SqlRow[]) : [];
}
