/** Rows of queries as streams, on real databases. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keyedRows, pgRows } from 'batuta/streams';
import { openSqlDatabase, type SqlDatabase } from '../support/sql-databases.ts';

interface Row {
  readonly id: number;
}

describe('the rows of a query', () => {
  let databases: readonly [SqlDatabase, SqlDatabase];
  beforeAll(async () => {
    databases = await Promise.all([openSqlDatabase('postgres'), openSqlDatabase('sqlite')]);
    for (const database of databases) {
      await database.query('create table numbers (id integer primary key)');
      await database.query(`insert into numbers (id) values ${Array.from({ length: 2_500 }, (_, at) => `(${at})`).join(',')}`);
    }
  });
  afterAll(() => Promise.all(databases.map((database) => database.drop())));

  test('of PostgreSQL come by a cursor, whole or in part, and the connection is free afterwards', async () => {
    const client = new pg.Client({ connectionString: databases[0].address });
    await client.connect();
    try {
      const ids: number[] = [];
      for await (const { id } of pgRows<Row>(client, 'select id from numbers where id >= $1 order by id', { values: [5], size: 400 }))
        ids.push(id);
      expect([ids.length, ids[0], ids.at(-1)]).toEqual([2_495, 5, 2_499]);
      for await (const { id } of pgRows<Row>(client, 'select id from numbers order by id', { size: 10 })) if (id === 25) break;
      await expect(async () => {
        for await (const _ of pgRows(client, 'select nothing from nowhere'));
      }).rejects.toThrow('nowhere');
      expect((await client.query('select count(*)::int as open from pg_cursors')).rows).toEqual([{ open: 0 }]);
      await client.query('delete from numbers where id = 2499');
    } finally {
      await client.end();
    }
  });

  test('of SQLite come in pages by their key', async () => {
    const after = (key: number | undefined, size: number): Promise<Row[]> =>
      databases[1].query<Row>('select id from numbers where id > ? order by id limit ?', [key ?? -1, size]);
    const ids: number[] = [];
    for await (const { id } of keyedRows(after, ({ id }) => id, { size: 400 })) ids.push(id);
    expect(ids).toEqual(Array.from({ length: 2_500 }, (_, at) => at));
  });
});
