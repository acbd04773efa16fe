/** Transactions over a `pg` pool: the user's own, or that of the ready resource `postgres`. */
import {
  type EffectOptions,
  keepMsOf,
  type OpenTransaction,
  type SqlRow,
  type SqlValue,
  sqlTransactions,
  type Transactional,
  type TransactionDriver,
} from '../../../effects/driver.ts';
import { TransactionLife } from './transaction-life.ts';

type Query = (...args: unknown[]) => Promise<{ rows: unknown[]; command?: string }>;

/** What is used of a `pg` connection. */
interface PgClient {
  query: Query;
  release(destroy?: boolean): void;
  escapeLiteral?(text: string): string;
  readonly processID?: number | null;
}

/** What is used of a `pg` pool. */
export interface PgPool {
  query: Query;
  connect(): Promise<PgClient>;
  readonly options: unknown;
  readonly Client: new (
    options: unknown,
  ) => {
    on(event: 'error', hear: () => void): void;
    connect(): Promise<unknown>;
    query: Query;
    end(): Promise<void>;
  };
}

/** A task's `ctx.tx` with a `pg` pool: the pool's `query`, on one connection. */
export type PgTx<Pool> = Pool extends { query: unknown } ? Pick<Pool, 'query'> : never;

/**
 * A `pg` pool, unchanged, whose transactions can carry tasks. A statement still running when its task is stopped is cancelled on the
 * server.
 *
 * @example
 * ```ts
 * yield pgTransactions(new Pool({ connectionString }));
 * ```
 */
export function pgTransactions<Pool extends { query: unknown; connect: unknown }>(
  pool: Pool,
  options?: EffectOptions,
): Pool & Transactional<PgTx<Pool>> {
  const driver = new PgDriver(pool as unknown as PgPool, (query) => ({ query }) as unknown as PgTx<Pool>, keepMsOf(options));
  return sqlTransactions(pool, driver);
}

function withLiterals(text: string, values: readonly SqlValue[], escape: (text: string) => string): string {
  return text.replace(/\$(\d+)/g, (_, number: string) => {
    const value = values[Number(number) - 1] ?? null;
    return typeof value === 'string' ? escape(value) : String(value);
  });
}

export class PgDriver<Tx> implements TransactionDriver<Tx> {
  readonly dialect = 'postgres';
  readonly keepEffectsMs: number;
  readonly #pool: PgPool;
  readonly #txOf: (query: Query) => Tx;

  /** @param txOf a task's transaction, over the queries of one connection */
  constructor(pool: PgPool, txOf: (query: Query) => Tx, keepEffectsMs: number) {
    this.#pool = pool;
    this.#txOf = txOf;
    this.keepEffectsMs = keepEffectsMs;
  }

  async query(text: string, values: readonly unknown[]): Promise<readonly SqlRow[]> {
    return (await this.#pool.query(text, [...values])).rows as SqlRow[];
  }

  async begin(): Promise<OpenTransaction<Tx>> {
    const client = await this.#pool.connect();
    try {
      await client.query('begin');
    } catch (error) {
      client.release(true);
      throw error;
    }
    const life = new TransactionLife(client);
    const commit = async (statement: string): Promise<void> => {
      life.end();
      const { command } = await client.query(`${statement}commit`);
      life.release(false);
      // The server's answer if a statement failed before and the error was caught.
      if (command === 'ROLLBACK') throw new Error('An earlier statement of the transaction failed, and the database rolled it back.');
    };
    const escape = client.escapeLiteral && ((value: string): string => client.escapeLiteral?.(value) ?? value);
    return {
      tx: this.#txOf((...args) => life.statement(args[0], () => client.query(...args))),
      query: async (text, values) => (await client.query(text, [...values])).rows as SqlRow[],
      commit: () => commit(''),
      // Several statements in one text, without parameters. If the first fails the rest is not executed.
      ...(escape && { commitWith: (text, values) => commit(`${withLiterals(text, values, escape)};`) }),
      rollback: async (isAborted) => {
        life.end();
        if (life.isReleased) return;
        if (isAborted && life.isBusy) await this.#cancel(client);
        const isLost = await client.query('rollback').then(
          () => false,
          () => true,
        );
        life.release(isLost);
      },
    };
  }

  /** Cancels the statement its connection is executing, over a separate connection: those of the pool may all be busy. */
  async #cancel({ processID }: PgClient): Promise<void> {
    const { Client, options } = this.#pool;
    const other = new Client(options);
    other.on('error', () => undefined);
    try {
      await other.connect();
      await other.query('select pg_cancel_backend($1)', [processID]);
    } catch {
      // Then waits for the statement, within limits.
    } finally {
      await other.end().catch(() => undefined);
    }
  }
}
