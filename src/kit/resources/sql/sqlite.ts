/** The ready resource `sqlite`: a SQLite file, by the package `libsql` in Batuta. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Duration } from '../../../base/duration.ts';
import { requirePackage } from '../../../base/packages.ts';
import { type EffectOptions, keepMsOf } from '../../../effects/driver.ts';
import type { ResourceContext } from '../../../model/context.ts';
import type { Resource, ResourceScopeName } from '../../../model/resource.ts';
import { resource } from '../../../resources/resource.ts';
import { durationOption, type TextOption, textOption } from '../options.ts';
import { poolOver, type SqlTransaction, type TransactionalPool } from './sql-pool.ts';
import { SqliteDriver } from './sqlite-driver.ts';
import { checkStatement, type TransactionLife } from './transaction-life.ts';

/** Options of the resource `sqlite`. */
export interface SqliteOptions<S extends ResourceScopeName = 'worker'> extends EffectOptions {
  /**
   * Path of the file, created with its folder if missing; `:memory:` lives as long as the resource is open. Or a function that returns it.
   */
  readonly file: TextOption<S>;
  /** How long the file stays open. Default `worker`. */
  readonly scope?: S | undefined;
  /** Longest wait for another process's lock. Default 10 seconds. */
  readonly busyTimeout?: Duration | undefined;
}

/**
 * A SQLite file in WAL mode, closed with its scope. It has one connection: transactions take turns, and statements of the pool wait for an
 * open transaction. Statement parameters are `?`; true and false are stored as 1 and 0, a Date as ISO text.
 *
 * @throws BatutaError NAME_INVALID, OPTION_INVALID, DURATION_INVALID; on opening RESOURCE_OPEN_FAILED
 * @example
 * ```ts
 * export const ledger = sqlite('ledger', { file: 'data/ledger.db' });
 * ```
 */
export function sqlite<const S extends ResourceScopeName = 'worker'>(
  name: string,
  options: SqliteOptions<S>,
): Resource<TransactionalPool, void, S> {
  const place = `sqlite('${name}')`;
  const keepMs = keepMsOf(options);
  const busyMs = durationOption(place, 'busyTimeout', options.busyTimeout);
  const readFile = textOption(place, 'file', options.file);
  const open = async function* (ctx: ResourceContext<S>) {
    const Database = requirePackage('libsql', () => import('libsql'));
    const file = await readFile(ctx);
    if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true });
    const database = new Database(file, { timeout: lockSliceMs });
    try {
      const driver: SqliteDriver<SqlTransaction> = new SqliteDriver(database, (life) => transactionOf(driver, life), keepMs, busyMs);
      await driver.exec('pragma journal_mode = wal; pragma foreign_keys = on');
      yield poolOver(driver);
    } finally {
      database.close();
    }
  };
  return resource(name, open, { scope: options.scope ?? ('worker' as S) });
}

/** How long SQLite waits for a lock before the event loop runs again. */
const lockSliceMs = 20;

function transactionOf(driver: SqliteDriver<SqlTransaction>, life: TransactionLife): SqlTransaction {
  return {
    async query(text, values = []) {
      life.check();
      checkStatement(text);
      return driver.execute(text, values) as never[];
    },
  };
}
