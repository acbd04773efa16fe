/** The databases in which tasks take effect once, real ones, each with a resource that opens it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mysql, postgres, sqlite, type TransactionalPool } from 'batuta/resources';
import Sqlite from 'libsql';
import type { Resource } from '../../src/model/resource.ts';
import { startMysql } from './mysql.ts';
import { createDatabase } from './postgres.ts';

export interface SqlDatabase {
  /** A resource of its own; `max` connections where the database has several. */
  resource(max?: number): Resource<TransactionalPool>;
  /** Path or URL. */
  readonly address: string;
  /** Runs one statement beside what is tested, with parameters as the dialect writes them. */
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  drop(): Promise<void>;
}

export const dialects = ['postgres', 'sqlite', 'mysql'] as const;
export type TestDialect = (typeof dialects)[number];

let names = 0;

/** A fresh database. */
export async function openSqlDatabase(dialect: TestDialect): Promise<SqlDatabase> {
  const name = `db-${dialect}-${++names}`;
  if (dialect === 'postgres') {
    const { url, query, drop } = await createDatabase();
    return { resource: (max) => postgres(name, { url, max }), address: url, query, drop };
  }
  if (dialect === 'mysql') {
    const { url, query, stop } = await startMysql();
    return { resource: (max) => mysql(name, { url, max }), address: url, query, drop: stop };
  }
  const folder = mkdtempSync(join(tmpdir(), 'batuta-sqlite-'));
  const file = join(folder, 'user.db');
  return {
    resource: () => sqlite(name, { file }),
    address: file,
    async query<Row extends object>(text: string, values: readonly unknown[] = []) {
      const database = new Sqlite(file, { timeout: 5_000 });
      try {
        const statement = database.prepare(text);
        if (statement.reader) return statement.all(...values) as Row[];
        statement.run(...values);
        return [];
      } finally {
        database.close();
      }
    },
    drop: async () => rmSync(folder, { recursive: true, force: true }),
  };
}
