/** What is wrong with the settings of a PostgreSQL is said as such, and never as a bug of Batuta. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore } from '../../../src/store/open.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await createDatabase();
});
afterEach(() => database.drop());

/** The address with other parts. */
function addressOf({ user, name, mode }: { readonly user?: string; readonly name?: string; readonly mode?: string }): string {
  const url = new URL(database.url);
  if (user !== undefined) [url.username, url.password] = [user, 'secret'];
  if (name !== undefined) url.pathname = `/${name}`;
  if (mode !== undefined) url.searchParams.set('sslmode', mode);
  return url.href;
}

async function refusalOf(url: string): Promise<{ readonly code: string; readonly message: string }> {
  const error: unknown = await openStore({ url }).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).not.toBeNull();
  return error as { readonly code: string; readonly message: string };
}

test.each([
  ['require', 'STORE_UNAVAILABLE', 'does not offer TLS, which its address requires'],
  ['verify-full', 'STORE_UNAVAILABLE', 'does not offer TLS, which its address requires'],
  ['bogus', 'CONFIG_INVALID', 'asks for sslmode=bogus, which there is not'],
])('sslmode=%s at a server without TLS is refused with %s', async (mode, code, message) => {
  const refusal = await refusalOf(addressOf({ mode }));
  expect(refusal).toMatchObject({ code, message: expect.stringContaining(message) });
  expect(refusal.message).not.toContain('bug');
});

test.each(['prefer', 'allow', 'disable'])('sslmode=%s takes a server without TLS', async (mode) => {
  const store = await openStore({ url: addressOf({ mode }) });
  await store.close();
});

test('a role that may not make tables is refused, and told which right it lacks', async () => {
  const user = `plain_${database.url.slice(-12)}`;
  await database.query(`create role ${user} login password 'secret'`);
  try {
    expect(await refusalOf(addressOf({ user }))).toMatchObject({
      code: 'STORE_READ_ONLY',
      message: expect.stringMatching(/lacks a right \(permission denied for schema public\)\. Grant it USAGE and CREATE/),
    });
    await database.query('drop schema public');
    expect(await refusalOf(addressOf({ user }))).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringMatching(/has no schema for the tables of Batuta.*Create one/),
    });
  } finally {
    await database.query(`drop role ${user}`);
  }
});

test('a new database that is not in UTF8 is refused before anything is written', async () => {
  const name = `latin_${database.url.slice(-12)}`;
  await database.query(`create database ${name} encoding 'LATIN1' locale 'C' template template0`);
  try {
    expect(await refusalOf(addressOf({ name }))).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('has the encoding LATIN1'),
    });
  } finally {
    await database.query(`drop database ${name} with (force)`);
  }
});

test('a process holds no more connections than it is given', async () => {
  const store = await openStore({ url: database.url, connections: 4 });
  await Promise.all(
    Array.from({ length: 60 }, (_, at) => (at % 2 === 0 ? store.runs.list({ limit: 1 }) : store.deployments.due({ limit: 1 }))),
  );
  const [row] = await database.query<{ held: number }>(
    `select count(*)::integer as held from pg_stat_activity where datname = current_database() and application_name like 'batuta %'`,
  );
  expect(row?.held).toBeLessThanOrEqual(4);
  await store.close();
});
