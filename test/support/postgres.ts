/** Real PostgreSQL for a test file: a database of its own on the server of the test run. */
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { inject } from 'vitest';

export interface TestDatabase {
  readonly url: string;
  /** Runs one statement beside the store, as somebody else would. */
  query<Row extends object>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Throws whoever still is connected out and removes it. */
  drop(): Promise<void>;
}

/** A fresh, empty database. */
export async function createDatabase(): Promise<TestDatabase> {
  const serverUrl = await text(connect(inject('postgresPort'), '127.0.0.1'));
  if (serverUrl === '') throw new Error('The PostgreSQL of the tests did not start.');
  return await createDatabaseOn(serverUrl);
}

/** The same on a server of one's own. */
export async function createDatabaseOn(serverUrl: string): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await ask(serverUrl, `create database ${name}`, []);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    query: (sql, values = []) => ask(url.href, sql, values),
    async drop() {
      await ask(serverUrl, `drop database if exists ${name} with (force)`, []);
    },
  };
}

async function ask<Row extends object>(url: string, sql: string, values: readonly unknown[]): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  // Being thrown out while idle is told here and by the next query.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(sql, [...values])).rows;
  } finally {
    await client.end();
  }
}
