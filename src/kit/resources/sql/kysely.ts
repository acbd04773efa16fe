/** Transactions of Kysely. */
import {
  type EffectOptions,
  keepMsOf,
  type SqlDialect,
  type SqlRow,
  sqlTransactions,
  type SqlValue,
  type Transactional,
} from '../../../effects/driver.ts';
import { TransactionLife } from './transaction-life.ts';

/** What is used of Kysely and its transactions. */
interface KyselyExecutor {
  executeQuery(query: unknown): Promise<{ readonly rows: unknown[] }>;
}
interface KyselyTransaction extends KyselyExecutor {
  commit(): { execute(): Promise<unknown> };
  rollback(): { execute(): Promise<unknown> };
}
interface KyselyDatabase extends KyselyExecutor {
  startTransaction(): { execute(): Promise<KyselyTransaction> };
}

/** A task's `ctx.tx` with Kysely: its transaction. */
export type KyselyTx<Db> = Db extends { startTransaction(): { execute(): Promise<infer Tx> } } ? Tx : never;

/**
 * A Kysely instance (0.28 or newer), unchanged, whose transactions can carry tasks: `ctx.tx` is a Kysely transaction.
 *
 * @param dialect its database, which Kysely does not reveal
 */
export function kyselyTransactions<Db extends { startTransaction(): { execute(): Promise<unknown> } }>(
  db: Db,
  dialect: SqlDialect,
  options?: EffectOptions,
): Db & Transactional<KyselyTx<Db>> {
  const kysely = db as unknown as KyselyDatabase;
  return sqlTransactions(db, {
    dialect,
    keepEffectsMs: keepMsOf(options),
    query: (text, values) => ask(kysely, text, values),
    async begin() {
      const tx = await kysely.startTransaction().execute();
      const life = new TransactionLife(null);
      return {
        // Kysely itself refuses it after commit or rollback.
        tx: tx as unknown as KyselyTx<Db>,
        query: (text, values) => ask(tx, text, values),
        async commit() {
          life.end();
          await tx.commit().execute();
          life.release(false);
        },
        async rollback() {
          life.end();
          if (life.isReleased) return;
          life.release(false);
          await tx
            .rollback()
            .execute()
            .catch(() => undefined);
        },
      };
    },
  });
}

let lastQuery = 0;

/** As a compiled query, which needs nothing from the package. */
async function ask(executor: KyselyExecutor, sql: string, values: readonly SqlValue[]): Promise<readonly SqlRow[]> {
  const query = { kind: 'RawNode', sqlFragments: [sql], parameters: [] };
  const { rows } = await executor.executeQuery({ sql, parameters: [...values], query, queryId: { queryId: `batuta-${++lastQuery}` } });
  return rows as SqlRow[];
}
