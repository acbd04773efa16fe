/** Exports of 'batuta/resources': ready-made resources, and databases whose transactions carry tasks. */
export {
  type EffectOptions,
  type OpenTransaction,
  type SqlDialect,
  type SqlRow,
  sqlTransactions,
  type SqlValue,
  type Transactional,
  type TransactionDriver,
  type TxOf,
} from '../../effects/driver.ts';
export { type DrizzleTx, drizzleTransactions } from './sql/drizzle.ts';
export { type KyselyTx, kyselyTransactions } from './sql/kysely.ts';
export { type Mysql2Tx, mysql2Transactions } from './sql/mysql2.ts';
export { mysql, type MysqlOptions } from './sql/mysql.ts';
export { type PgTx, pgTransactions } from './sql/pg.ts';
export { type PrismaTx, prismaTransactions } from './sql/prisma.ts';
export { postgres, type PostgresOptions } from './sql/postgres.ts';
export type { SqlPool, SqlTransaction, TransactionalPool } from './sql/sql-pool.ts';
export { type SqliteTx, sqliteTransactions } from './sql/sqlite-driver.ts';
export { sqlite, type SqliteOptions } from './sql/sqlite.ts';
export { type TypeormTx, typeormTransactions } from './sql/typeorm.ts';
export { httpClient, type HttpClient, type HttpClientOptions, type HttpRequestOptions } from './http-client.ts';
export type { HttpRetryOptions } from './http-retry.ts';
export type { ObjectBody, ObjectFacts, ObjectStore, PutOptions, SignedUrlOptions } from './objects/contract.ts';
export { objects, type ObjectsOptions, type S3Credentials } from './objects/objects.ts';
export type { TextOption } from './options.ts';
export { tempDir, type TempDirOptions } from './temp-dir.ts';
export { temporarily, type TemporarilyOptions } from './temporarily.ts';
export { type Stopwatch, timer, type TimerOptions } from './timer.ts';
