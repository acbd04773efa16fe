/** A SQLite file that another process holds locked for a while: what had to wait for it commits all the same. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'libsql';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sqliteTransactions } from 'batuta/resources';
import { driverOf, type TransactionDriver } from '../../../src/effects/driver.ts';

let folder: string;
let other: Sqlite.Database;
let own: Sqlite.Database;
let driver: TransactionDriver<unknown>;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'batuta-locks-'));
  const file = join(folder, 'user.db');
  other = new Sqlite(file);
  other.exec('pragma journal_mode = wal; create table rows (name text primary key)');
  own = new Sqlite(file, { timeout: 1 });
  driver = driverOf(sqliteTransactions(own)) as TransactionDriver<unknown>;
});
afterEach(() => {
  own.close();
  other.close();
  rmSync(folder, { recursive: true, force: true });
});

const rows = (): unknown[] => other.prepare('select name from rows order by name').all();

/** What it gives, the file locked by another while it begins. */
async function lockedMeanwhile<T>(work: () => Promise<T>): Promise<T> {
  other.exec('begin immediate');
  const given = work();
  await new Promise((resolve) => setTimeout(resolve, 30));
  other.exec('commit');
  return await given;
}

test('a transaction that waited for the lock commits', async () => {
  const open = await lockedMeanwhile(() => driver.begin());
  await open.query('insert into rows values (?)', ['a']);
  await open.commit();
  expect(rows()).toEqual([{ name: 'a' }]);
});

test.each([
  ['that gives nothing', 'insert into rows values (?)'],
  ['that gives rows', 'insert into rows values (?) returning name'],
])('a statement by itself %s is committed at once, also when it waited, and so is what follows', async (_what, text) => {
  await lockedMeanwhile(() => driver.query(text, ['a']));
  expect(rows()).toEqual([{ name: 'a' }]);
  await driver.query(text, ['b']);
  const open = await driver.begin();
  await open.query(text, ['c']);
  await open.commit();
  expect(rows()).toEqual([{ name: 'a' }, { name: 'b' }, { name: 'c' }]);
});

test('a statement by itself that is refused leaves no transaction open', async () => {
  await driver.query('insert into rows values (?)', ['a']);
  await expect(driver.query('insert into rows values (?)', ['a'])).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT_PRIMARYKEY' });
  expect(own.inTransaction).toBe(false);
  other.exec("insert into rows values ('b')");
  expect(await driver.query('select name from rows order by name', [])).toEqual([{ name: 'a' }, { name: 'b' }]);
});
