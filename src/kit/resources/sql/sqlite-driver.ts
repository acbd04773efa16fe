/** Transactions on a SQLite database with the interface of `better-sqlite3`, which `libsql` shares: the user's own, or that of `sqlite`. */
import { systemClock } from '../../../base/clock.ts';
import { BatutaError } from '../../../base/errors.ts';
import { Mutex } from '../../../base/mutex.ts';
import {
  type EffectOptions,
  isWithin,
  keepMsOf,
  type OpenTransaction,
  type SqlRow,
  sqlTransactions,
  type Transactional,
  type TransactionDriver,
} from '../../../effects/driver.ts';
import { checkStatement, guarded, TransactionLife } from './transaction-life.ts';

/** What is used of a statement. */
interface SqliteStatement {
  readonly reader: boolean;
  all(...values: unknown[]): unknown[];
  run(...values: unknown[]): unknown;
}

/** What is used of a database. */
export interface SqliteDatabase {
  prepare(text: string): SqliteStatement;
  exec(text: string): unknown;
  readonly inTransaction: boolean;
}

/** A task's `ctx.tx` with such a database: `prepare`, and `exec` if it has that. */
export type SqliteTx<Database> = Database extends { prepare: unknown; exec: unknown }
  ? Pick<Database, 'prepare' | 'exec'>
  : Database extends { prepare: unknown }
    ? Pick<Database, 'prepare'>
    : never;

/**
 * A `better-sqlite3` or `libsql` database, unchanged, whose transactions can carry tasks. There is one connection, so they take turns, and
 * anything else executed on it meanwhile belongs to the transaction: use a separate connection for tasks.
 *
 * @param options `busyTimeout`, ms: how long to wait for another process's lock; default 10,000
 */
export function sqliteTransactions<Database extends { prepare: unknown; readonly inTransaction: boolean }>(
  database: Database,
  options: EffectOptions & { readonly busyTimeoutMs?: number | undefined } = {},
): Database & Transactional<SqliteTx<Database>> {
  const txOf = (life: TransactionLife): SqliteTx<Database> =>
    new Proxy(
      guarded(database, life, (given) => (isObject(given) ? guarded(given, life) : given)),
      {
        get: (target, name) => {
          const member: unknown = Reflect.get(target, name);
          if (typeof member !== 'function' || (name !== 'prepare' && name !== 'exec')) return member;
          return (text: unknown, ...rest: unknown[]) => {
            checkStatement(text);
            return Reflect.apply(member, target, [text, ...rest]);
          };
        },
      },
    ) as unknown as SqliteTx<Database>;
  const driver = new SqliteDriver(database as unknown as SqliteDatabase, txOf, keepMsOf(options), options.busyTimeoutMs);
  return sqlTransactions(database, driver);
}

/** Statements that write nothing, or cannot be in a transaction. */
const aloneAnyway = /^\s*(?:select|values|explain|pragma|vacuum|attach|detach|begin|commit|end|rollback|savepoint|release)\b/i;
const defaultBusyMs = 10_000;
const firstWaitMs = 1;
const longestWaitMs = 50;

export class SqliteDriver<Tx> implements TransactionDriver<Tx> {
  readonly dialect = 'sqlite';
  readonly hasOneConnection = true;
  readonly keepEffectsMs: number;
  readonly #database: SqliteDatabase;
  readonly #txOf: (life: TransactionLife) => Tx;
  readonly #busyTimeoutMs: number;
  /** Held while a transaction is open: other statements would become part of it. */
  readonly #mutex = new Mutex();

  /** @param txOf a task's transaction, which must refuse once it has ended */
  constructor(database: SqliteDatabase, txOf: (life: TransactionLife) => Tx, keepEffectsMs: number, busyTimeoutMs = defaultBusyMs) {
    this.#database = database;
    this.#txOf = txOf;
    this.keepEffectsMs = keepEffectsMs;
    this.#busyTimeoutMs = busyTimeoutMs;
  }

  async query(text: string, values: readonly unknown[]): Promise<readonly SqlRow[]> {
    this.#refuseNested();
    return await this.#mutex.run(() =>
      aloneAnyway.test(text) ? this.#patiently(() => this.execute(text, values)) : this.#alone(text, values),
    );
  }

  /** Runs statements without values or wanted rows, outside any transaction. */
  async exec(text: string): Promise<void> {
    await this.#mutex.run(() => this.#patiently(() => this.#database.exec(text)));
  }

  async begin(): Promise<OpenTransaction<Tx>> {
    this.#refuseNested();
    await this.#mutex.acquire();
    const life = new TransactionLife({ release: () => this.#mutex.release() });
    try {
      // A deferred one fails at once if another process has written since its first read.
      await this.#begin();
    } catch (error) {
      life.release(true);
      throw error;
    }
    return {
      tx: this.#txOf(life),
      query: async (text, values) => this.execute(text, values),
      commit: async () => {
        life.end();
        this.#database.exec('commit');
        life.release(false);
      },
      rollback: async () => {
        life.end();
        if (life.isReleased) return;
        try {
          // It rolled back by itself if the disk was full.
          if (this.#database.inTransaction) this.#database.exec('rollback');
        } finally {
          life.release(false);
        }
      },
    };
  }

  /** One statement in its own transaction. */
  async #alone(text: string, values: readonly unknown[]): Promise<readonly SqlRow[]> {
    await this.#begin();
    try {
      const rows = this.execute(text, values);
      this.#database.exec('commit');
      return rows;
    } catch (error) {
      if (this.#database.inTransaction) this.#database.exec('rollback');
      throw error;
    }
  }

  /**
   * The only statement that meets another process's lock. It is not prepared: a refused prepared one stays active until it is collected,
   * and until then nothing on this connection commits, not even a single statement.
   */
  async #begin(): Promise<void> {
    await this.#patiently(() => this.#database.exec('begin immediate'));
  }

  /** Runs one statement now, within any open transaction. */
  execute(text: string, values: readonly unknown[]): SqlRow[] {
    const statement = this.#database.prepare(text);
    if (statement.reader) return statement.all(...values.map(boundValue)) as SqlRow[];
    statement.run(...values.map(boundValue));
    return [];
  }

  /** Waiting for the connection within its own transaction would never end. */
  #refuseNested(): void {
    if (isWithin(this))
      throw new BatutaError(
        'TRANSACTION_NESTED',
        'A SQLite database has one connection, and this code is within a transaction on it: use that transaction (ctx.tx) for all statements until it has ended.',
      );
  }

  /** Waits for another process's lock, the event loop free between tries. */
  async #patiently<T>(work: () => T): Promise<T> {
    const startedAt = systemClock.monotonic();
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
      try {
        return work();
      } catch (error) {
        if (!isLocked(error) || systemClock.monotonic() - startedAt > this.#busyTimeoutMs) throw error;
      }
      await systemClock.sleep(waitMs);
    }
  }
}

function isLocked(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED');
}

/** Drivers take text, numbers, bigints, bytes and null; libsql ends the process on anything else. */
function boundValue(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value === 'number' || typeof value === 'bigint' || value instanceof Uint8Array) return value;
  if (value instanceof Date) return value.toISOString();
  throw new TypeError(
    `SQLite stores texts, numbers, bytes and null, not ${typeof value === 'object' ? 'an object' : `a ${typeof value}`}.`,
  );
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
