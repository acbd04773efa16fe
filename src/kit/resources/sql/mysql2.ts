/** Transactions over a pool of `mysql2/promise`: the user's own, or that of the ready resource `mysql`. */
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

/** How long another connection is waited for to end a statement; without one its connection is closed. */
const killWaitMs = 1_000;

type Query = (...args: unknown[]) => Promise<readonly unknown[]>;

/** What is asked of a connection of `mysql2/promise`. */
interface Mysql2Connection {
  query: Query;
  execute: Query;
  release(): void;
  destroy(): void;
  readonly threadId?: number | null;
}

/** A connection that is closed when it has ended a statement. */
export interface KillConnection {
  query: Query;
  end(): Promise<void>;
}

/** What is asked of a pool of `mysql2/promise`. */
export interface Mysql2Pool {
  query: Query;
  getConnection(): Promise<Mysql2Connection>;
}

/** What a task has of a `mysql2` pool as `ctx.tx`: `query` and `execute`, as the pool has them, on one connection. */
export type Mysql2Tx<Pool> = Pool extends { query: unknown; execute: unknown } ? Pick<Pool, 'query' | 'execute'> : never;

/** A pool of `mysql2/promise` as it is, whose transactions can carry tasks. A statement that still runs when its task is stopped is killed. */
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
   * @param txOf what a task is given, over the queries of one connection
   * @param connect makes a connection outside the pool, whose own may all be busy when a statement is to be ended
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

  /** Ends the statement that its connection executes. False where no other connection is free to say so. */
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

/** Of a statement that gives no rows the driver gives an object about it. */
export function rowsOf([rows]: readonly unknown[]): SqlRow[] {
  return Array.isArray(rows) ? (rows as SqlRow[]) : [];
}
