/** The ready resource `postgres`: a connection pool for a PostgreSQL database, by the package `pg` that Batuta includes. */
import type { Duration } from '../../../base/duration.ts';
import { type EffectOptions, keepMsOf } from '../../../effects/driver.ts';
import type { ResourceContext } from '../../../model/context.ts';
import type { Resource, ResourceScopeName } from '../../../model/resource.ts';
import { resource } from '../../../resources/resource.ts';
import { durationOption, type TextOption, textOption, wholeOption } from '../options.ts';
import { PgDriver, type PgPool } from './pg.ts';
import { poolOver, type SqlTransaction, type TransactionalPool } from './sql-pool.ts';

/** Options of the resource `postgres`. */
export interface PostgresOptions<S extends ResourceScopeName = 'worker'> extends EffectOptions {
  /** `postgres://user:password@host:port/database`, or a function called when the pool is opened. */
  readonly url: TextOption<S>;
  /** How long the pool stays open. Default `worker`. */
  readonly scope?: S | undefined;
  /** Most concurrent connections. Default 4. */
  readonly max?: number | undefined;
  /** Longest wait for a connection. Default 10 seconds. */
  readonly connectTimeout?: Duration | undefined;
  /** Time limit of one statement, set on the server. Default none. */
  readonly statementTimeout?: Duration | undefined;
}

/**
 * A connection pool for PostgreSQL, closed with its scope. Opening it connects once, so that a wrong address fails there. Statement
 * parameters are `$1`, `$2` and so on.
 *
 * @throws BatutaError NAME_INVALID, OPTION_INVALID, DURATION_INVALID; on opening RESOURCE_OPEN_FAILED
 * @example
 * ```ts
 * export const warehouse = postgres('warehouse', { url: () => process.env['WAREHOUSE_URL'] });
 * ```
 */
export function postgres<const S extends ResourceScopeName = 'worker'>(
  name: string,
  options: PostgresOptions<S>,
): Resource<TransactionalPool, void, S> {
  const place = `postgres('${name}')`;
  const keepMs = keepMsOf(options);
  const max = wholeOption(place, 'max', options.max, 1) ?? 4;
  const connectMs = durationOption(place, 'connectTimeout', options.connectTimeout) ?? 10_000;
  const statementMs = durationOption(place, 'statementTimeout', options.statementTimeout);
  const readUrl = textOption(place, 'url', options.url);
  const open = async function* (ctx: ResourceContext<S>) {
    const { default: pg } = await import('pg');
    const pool = new pg.Pool({
      connectionString: await readUrl(ctx),
      max,
      connectionTimeoutMillis: connectMs,
      ...(statementMs === undefined ? {} : { statement_timeout: statementMs }),
      application_name: `batuta ${name}`,
    });
    // The next user hears why an idle connection was lost.
    pool.on('error', () => undefined);
    pool.on('connect', (client) => client.on('error', () => undefined));
    try {
      await pool.query('select 1');
      yield poolOver(new PgDriver<SqlTransaction>(pool as unknown as PgPool, transactionOf, keepMs));
    } finally {
      await pool.end();
    }
  };
  return resource(name, open, { scope: options.scope ?? ('worker' as S) });
}

function transactionOf(query: PgPool['query']): SqlTransaction {
  return { query: async (text, values = []) => (await query(text, [...values])).rows as never[] };
}
