/** The ready resource `mysql`: a connection pool for MySQL or MariaDB, by the package `mysql2`, installed alongside Batuta. */
import type { Duration } from '../../../base/duration.ts';
import { importOptional, mayBeMissing } from '../../../base/packages.ts';
import { type EffectOptions, keepMsOf } from '../../../effects/driver.ts';
import type { ResourceContext } from '../../../model/context.ts';
import type { Resource, ResourceScopeName } from '../../../model/resource.ts';
import { resource } from '../../../resources/resource.ts';
import { durationOption, type TextOption, textOption, wholeOption } from '../options.ts';
import { type KillConnection, Mysql2Driver, type Mysql2Pool, rowsOf } from './mysql2.ts';
import { poolOver, type SqlTransaction, type TransactionalPool } from './sql-pool.ts';

/** Options of the resource `mysql`. */
export interface MysqlOptions<S extends ResourceScopeName = 'worker'> extends EffectOptions {
  /** `mysql://user:password@host:port/database`, or a function called when the pool is opened. */
  readonly url: TextOption<S>;
  /** How long the pool stays open. Default `worker`. */
  readonly scope?: S | undefined;
  /** Most concurrent connections. Default 4. */
  readonly max?: number | undefined;
  /** Longest wait for a connection. Default 10 seconds. */
  readonly connectTimeout?: Duration | undefined;
}

/**
 * A connection pool for MySQL or MariaDB, closed with its scope. Opening it connects once, so that a wrong address fails there. Statement
 * parameters are `?`. Needs the package `mysql2`.
 *
 * @throws BatutaError NAME_INVALID, OPTION_INVALID, DURATION_INVALID; on opening RESOURCE_OPEN_FAILED, with PACKAGE_MISSING as its cause if
 *   the package is not installed
 * @example
 * ```ts
 * export const shop = mysql('shop', { url: () => process.env['SHOP_URL'] });
 * ```
 */
export function mysql<const S extends ResourceScopeName = 'worker'>(
  name: string,
  options: MysqlOptions<S>,
): Resource<TransactionalPool, void, S> {
  const place = `mysql('${name}')`;
  const keepMs = keepMsOf(options);
  const max = wholeOption(place, 'max', options.max, 1) ?? 4;
  const connectMs = durationOption(place, 'connectTimeout', options.connectTimeout) ?? 10_000;
  const readUrl = textOption(place, 'url', options.url);
  const open = async function* (ctx: ResourceContext<S>) {
    const { createConnection, createPool } = await importOptional('mysql2', `the resource ${place}`, () =>
      import('mysql2/promise').catch(mayBeMissing),
    );
    const uri = await readUrl(ctx);
    const pool = createPool({ uri, connectionLimit: max, connectTimeout: connectMs });
    try {
      await pool.query('select 1');
      const connect = async () => (await createConnection(uri)) as unknown as KillConnection;
      yield poolOver(new Mysql2Driver<SqlTransaction>(pool as unknown as Mysql2Pool, transactionOf, keepMs, connect));
    } finally {
      await pool.end();
    }
  };
  return resource(name, open, { scope: options.scope ?? ('worker' as S) });
}

function transactionOf(query: Mysql2Pool['query']): SqlTransaction {
  return { query: async (text, values = []) => rowsOf(await query(text, [...values])) as never[] };
}
