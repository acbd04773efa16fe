/** Kysely over our SQLite connection. Loaded when the first question is asked, not before. */
import { CompiledQuery, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
import type { DatabaseConnection, Driver, QueryResult } from 'kysely';
import type { Tables } from '../tables.ts';

/** What the Kysely driver needs of the connection. */
export interface SqliteSession {
  acquire(): Promise<void>;
  release(): void;
  all(text: string, params: readonly unknown[]): Promise<unknown[]>;
  run(text: string, params: readonly unknown[]): Promise<{ readonly changes: number }>;
  rollback(): void;
}

/** The query builder of a connection; it is never destroyed by itself, the connection is closed below it. */
export function sqliteKysely(session: SqliteSession): Kysely<Tables> {
  return new Kysely<Tables>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new LibsqlDriver(session),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
}

/** One connection for all; whoever has acquired it keeps the others out until it is released. */
class LibsqlDriver implements Driver {
  readonly #session: SqliteSession;

  constructor(session: SqliteSession) {
    this.#session = session;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    await this.#session.acquire();
    return new LibsqlSession(this.#session);
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  }

  async rollbackTransaction(): Promise<void> {
    this.#session.rollback();
  }

  async releaseConnection(): Promise<void> {
    this.#session.release();
  }

  async destroy(): Promise<void> {}
}

class LibsqlSession implements DatabaseConnection {
  readonly #session: SqliteSession;

  constructor(session: SqliteSession) {
    this.#session = session;
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    return { rows: (await this.#session.all(sql, parameters)) as R[] };
  }

  // Rows come all at once: the driver reads them within one call.
  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    yield await this.executeQuery<R>(query);
  }
}
