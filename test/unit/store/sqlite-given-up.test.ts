/** A store whose statement gave up on a lock that another process held: what is written afterwards is there for all. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'libsql';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore } from '../../../src/store/open.ts';
import type { Store } from '../../../src/store/store.ts';
import { leaseMs, newRun, owner } from '../../contract/store/rows.ts';

let folder: string;
let store: Store;
let other: Sqlite.Database;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'batuta-given-up-'));
  const file = join(folder, 'batuta.db');
  store = await openStore({ url: `sqlite:${file}`, busyTimeoutMs: 20 });
  other = new Sqlite(file);
});
afterEach(async () => {
  other.close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const variable = (name: string): Promise<unknown> =>
  store.variables.put({ name, value: '1', description: null, createdAt: 1, updatedAt: 1 });
const writes: Record<string, () => Promise<unknown>> = {
  'one statement': () => variable('a'),
  'a transaction': () => store.fleet.insertMany([{ run: newRun({}), idempotencyKey: null }]),
  'a flush': () => store.recorder.addRun(newRun({}), owner, leaseMs),
};
const count = (table: string): number => (other.prepare(`select count(*) as rows from ${table}`).get() as { rows: number }).rows;

test.each(Object.keys(writes))('after %s that was refused', async (name) => {
  other.exec('begin immediate');
  await expect(writes[name]?.()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  other.exec('rollback');
  await variable('b');
  expect(count('variables')).toBe(1);
  await store.recorder.addRun(newRun({}), owner, leaseMs);
  await store.fleet.insertMany([{ run: newRun({}), idempotencyKey: null }]);
  expect(count('runs')).toBe(2);
  other.exec('begin immediate');
  other.exec('rollback');
});
