/**
 * Brings the schema up to date, forward only.
 *
 * Each migration is one transaction, locked against every other migrating process (SQLite: the write lock, PostgreSQL: an advisory lock),
 * and reads the version again once it has the lock. A crash leaves whole migrations.
 */
import type { Database, Connection } from '../connection.ts';
import { BatutaError } from '../../base/errors.ts';
import type { SchemaReport } from '../store.ts';
import type { Migration } from './migration.ts';

/** Number of the last migration, which a test compares with theirs. They are loaded to be applied, which few processes do. */
export const newest = 64;

/** Version of the schema in the database; 0 if it is empty. @throws BatutaError STORE_… */
export async function schemaVersion(connection: Connection): Promise<number> {
  return await versionBy(connection);
}

/**
 * Refuses a schema that this version does not know.
 *
 * @throws BatutaError STORE_NEWER
 */
export function refuseNewer(version: number, where: string): void {
  if (version <= newest) return;
  throw new BatutaError(
    'STORE_NEWER',
    `The database ${where} has schema ${version}, and this Batuta knows only up to ${newest}. Install a newer Batuta, or choose another database.`,
    { details: { store: where, found: version, known: newest } },
  );
}

/** Applies what is missing. @throws BatutaError STORE_NEWER, STORE_… */
export async function migrate(connection: Connection): Promise<SchemaReport> {
  const before = await schemaVersion(connection);
  refuseNewer(before, connection.url);
  const applied: string[] = [];
  const migrations = before < newest ? (await import('./migrations.ts')).migrations : [];
  for (const migration of migrations) {
    if (migration.number > before && (await apply(connection, migration))) applied.push(`${migration.number} ${migration.name}`);
  }
  return { before, after: Math.max(before, newest), applied };
}

async function apply(connection: Connection, migration: Migration): Promise<boolean> {
  return await connection.migration(async (db) => {
    const { query } = db;
    const version = await versionBy(db);
    refuseNewer(version, connection.url);
    if (version >= migration.number) return false;
    if (version === 0) await query(`create table if not exists batuta_schema (version integer not null)`);
    for (const statement of migration.statements(connection.dialect, connection.fragments)) await query(statement);
    await query(version === 0 ? 'insert into batuta_schema (version) values ($1)' : 'update batuta_schema set version = $1', [
      migration.number,
    ]);
    return true;
  });
}

async function versionBy({ query, dialect }: Database): Promise<number> {
  const [table] = await query(
    dialect === 'sqlite'
      ? `select 1 as found from sqlite_master where type = 'table' and name = 'batuta_schema'`
      : // Not to_regclass: it may answer from what the session remembers of before it waited for the lock.
        `select 1 as found from pg_catalog.pg_tables where schemaname = any (current_schemas(false)) and tablename = 'batuta_schema'`,
  );
  if (table === undefined) return 0;
  const [row] = await query<{ version: number }>('select max(version) as version from batuta_schema');
  return row?.version ?? 0;
}
