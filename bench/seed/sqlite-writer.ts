/** Writes into a SQLite file without waiting for the disk: a seed that was interrupted by a power cut is begun anew. */
import Database from 'libsql';
import type { BulkTable, BulkWriter } from './bulk-writer.ts';

export function openSqliteWriter(path: string): BulkWriter {
  const database = new Database(path);
  for (const pragma of ['synchronous = off', 'cache_size = -400000', 'temp_store = memory']) database.prepare(`pragma ${pragma}`).all();
  const statements = new Map<string, Database.Statement>();
  const insert = ({ name, columns }: BulkTable): Database.Statement => {
    const known = statements.get(name);
    if (known !== undefined) return known;
    const made = database.prepare(`insert into ${name} (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`);
    statements.set(name, made);
    return made;
  };
  return {
    async write(tables) {
      database.exec('begin immediate');
      for (const table of tables) {
        const statement = insert(table);
        for (const row of table.rows) statement.run([...row]);
      }
      database.exec('commit');
    },
    async close() {
      statements.clear();
      database.prepare('pragma wal_checkpoint(truncate)').all();
      database.close();
    },
  };
}
