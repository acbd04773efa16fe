/** Kysely over our PostgreSQL pool. Loaded when the first question is asked, not before. */
import { Kysely, PostgresDialect } from 'kysely';
import type { PostgresPoolClient } from 'kysely';
import type pg from 'pg';
import { storableValue } from '../storable.ts';
import type { Tables } from '../tables.ts';

/** The query builder of a pool, which is ended below it. Errors go through `mapError`. */
export function postgresKysely(pool: pg.Pool, mapError: (error: unknown) => Error): Kysely<Tables> {
  const connect = async (): Promise<PostgresPoolClient> => {
    const client = await pool.connect().catch((error: unknown) => {
      throw mapError(error);
    });
    const query = async (text: string, parameters: readonly unknown[]): Promise<unknown> => {
      try {
        return await client.query(text, parameters.map(storableValue));
      } catch (error) {
        throw mapError(error);
      }
    };
    return { query: query as PostgresPoolClient['query'], release: () => client.release() };
  };
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool: { connect, end: async () => undefined } }) });
}
