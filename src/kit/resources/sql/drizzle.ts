/** Transactions of Drizzle. */
import {
  type EffectOptions,
  keepMsOf,
  type SqlDialect,
  type SqlRow,
  sqlTransactions,
  type SqlValue,
  type Transactional,
} from '../../../effects/driver.ts';
import { beginByCallback } from './by-callback.ts';
import { rowsOf } from './mysql2.ts';
import { guarded } from './transaction-life.ts';

/** What is used of Drizzle and its transactions. */
interface DrizzleExecutor {
  execute(text: string): Promise<unknown>;
}
interface DrizzleDatabase extends DrizzleExecutor {
  transaction(work: (tx: DrizzleExecutor) => Promise<void>): Promise<unknown>;
}

// oxlint-disable-next-line typescript/no-explicit-any -- whatever the function of a transaction takes.
type AnyWork = (tx: any) => Promise<any>;

/** A task's `ctx.tx` with Drizzle: its transaction. */
export type DrizzleTx<Db> = Db extends { transaction: (work: infer Work, ...rest: never[]) => unknown }
  ? Work extends (tx: infer Tx, ...rest: never[]) => unknown
    ? Tx
    : never
  : never;

/**
 * A Drizzle database over a driver with independent connections (`node-postgres`, `postgres-js`, `mysql2`), unchanged, whose transactions
 * can carry tasks: `ctx.tx` is a Drizzle transaction. Over SQLite, Drizzle's transactions cannot be asynchronous: give the task the
 * database itself by `sqliteTransactions`.
 */
export function drizzleTransactions<Db extends { transaction: (work: AnyWork) => Promise<unknown> }>(
  db: Db,
  dialect: Exclude<SqlDialect, 'sqlite'>,
  options?: EffectOptions,
): Db & Transactional<DrizzleTx<Db>> {
  const drizzle = db as unknown as DrizzleDatabase;
  const query = async (executor: DrizzleExecutor, text: string, values: readonly SqlValue[]): Promise<readonly SqlRow[]> => {
    const given = await executor.execute(withValues(dialect, text, values));
    if (dialect === 'mysql') return rowsOf(given as unknown[]);
    return Array.isArray(given) ? (given as SqlRow[]) : (given as { readonly rows: SqlRow[] }).rows;
  };
  return sqlTransactions(db, {
    dialect,
    keepEffectsMs: keepMsOf(options),
    query: (text, values) => query(drizzle, text, values),
    begin: () =>
      beginByCallback<DrizzleTx<Db>>({
        transaction: (work) => drizzle.transaction((tx) => work(tx as unknown as DrizzleTx<Db>)),
        query: (tx, text, values) => query(tx, text, values),
        txOf: (tx, life) => guarded(tx as object, life) as DrizzleTx<Db>,
      }),
  });
}

/** Text with its values inlined: a Drizzle query with parameters needs its package. As hexadecimal digits no value can end its literal. */
function withValues(dialect: SqlDialect, text: string, values: readonly SqlValue[]): string {
  let next = 0;
  return text.replace(/\$(\d+)|\?/g, (_, number: string | undefined) =>
    literal(dialect, values[number === undefined ? next++ : Number(number) - 1]),
  );
}

function literal(dialect: SqlDialect, value: SqlValue | undefined): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'number') return String(value);
  const hex = Buffer.from(value, 'utf8').toString('hex');
  return dialect === 'mysql' ? `convert(x'${hex}' using utf8mb4)` : `convert_from(decode('${hex}', 'hex'), 'UTF8')`;
}
