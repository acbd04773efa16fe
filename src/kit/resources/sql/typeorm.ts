/** Transactions of TypeORM. */
import {
  type EffectOptions,
  keepMsOf,
  type SqlDialect,
  type SqlRow,
  sqlTransactions,
  type Transactional,
} from '../../../effects/driver.ts';
import { BatutaError } from '../../../base/errors.ts';
import { TransactionLife } from './transaction-life.ts';

/** What is used of a data source. */
interface QueryRunner {
  readonly manager: unknown;
  query(text: string, values?: unknown[]): Promise<unknown>;
  startTransaction(): Promise<void>;
  commitTransaction(): Promise<void>;
  rollbackTransaction(): Promise<void>;
  release(): Promise<void>;
}
interface TypeormSource {
  readonly options: { readonly type: string };
  createQueryRunner(): QueryRunner;
}

/** A task's `ctx.tx` with TypeORM: the entity manager of its transaction. */
export type TypeormTx<Source> = Source extends { createQueryRunner(): { readonly manager: infer Manager } } ? Manager : never;

const dialects: Readonly<Record<string, SqlDialect>> = {
  ...{ postgres: 'postgres', cockroachdb: 'postgres', 'aurora-postgres': 'postgres' },
  ...{ mysql: 'mysql', mariadb: 'mysql', 'aurora-mysql': 'mysql' },
};

/**
 * A TypeORM data source over PostgreSQL or MySQL, unchanged, whose transactions can carry tasks: `ctx.tx` is an entity manager.
 *
 * @throws BatutaError TRANSACTION_UNSUPPORTED for any other database
 */
export function typeormTransactions<Source extends { createQueryRunner(): { readonly manager: unknown } }>(
  source: Source,
  options?: EffectOptions,
): Source & Transactional<TypeormTx<Source>> {
  const typeorm = source as unknown as TypeormSource;
  const dialect = dialects[typeorm.options.type];
  if (dialect === undefined)
    throw new BatutaError(
      'TRANSACTION_UNSUPPORTED',
      `typeormTransactions takes a data source of postgres or mysql, not of ${typeorm.options.type}.`,
    );
  return sqlTransactions(source, {
    dialect,
    keepEffectsMs: keepMsOf(options),
    async query(text, values) {
      const runner = typeorm.createQueryRunner();
      try {
        return rowsOf(await runner.query(text, [...values]));
      } finally {
        await runner.release();
      }
    },
    async begin() {
      const runner = typeorm.createQueryRunner();
      const life = new TransactionLife({ release: () => void runner.release().catch(() => undefined) });
      try {
        await runner.startTransaction();
      } catch (error) {
        life.release(true);
        throw error;
      }
      return {
        // Refused by TypeORM itself after release.
        tx: runner.manager as TypeormTx<Source>,
        query: async (text, values) => rowsOf(await runner.query(text, [...values])),
        async commit() {
          await runner.commitTransaction();
          life.release(false);
        },
        async rollback() {
          if (life.isReleased) return;
          await runner.rollbackTransaction().catch(() => undefined);
          life.release(false);
        },
      };
    },
  });
}

/** Without rows the driver returns something about the statement. */
function rowsOf(given: unknown): SqlRow[] {
  return Array.isArray(given) ? (given.filter((row) => typeof row === 'object' && row !== null) as SqlRow[]) : [];
}
