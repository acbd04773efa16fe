/** PostgreSQL behind PgBouncer, whose clients share the connections of the server. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openBroker } from '../../../src/broker/open.ts';
import { lookAtDatabase, openStore } from '../../../src/store/open.ts';
import type { Store } from '../../../src/store/store.ts';
import { type PgBouncer, type PoolMode, startPgBouncer } from '../../support/pgbouncer.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres.ts';
import { leaseMs, newRun, owner, startRun, taskRun, transitionOf } from './rows.ts';

let database: TestDatabase;
const opened: { close(): Promise<void> }[] = [];
const poolers: PgBouncer[] = [];

beforeEach(async () => {
  database = await createDatabase();
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
  for (const one of poolers.splice(0)) await one.stop();
  await database.drop();
});

async function pooled(mode: PoolMode, poolSize?: number): Promise<string> {
  const pooler = await startPgBouncer(database.url, mode, poolSize);
  poolers.push(pooler);
  return pooler.url;
}

async function open(url: string): Promise<Store> {
  const store = await openStore({ url });
  opened.push(store);
  return store;
}

/** A run with three tasks, each written and read by itself. */
async function useAll(store: Store): Promise<void> {
  const claim = await startRun(store);
  for (const name of ['a', 'b', 'c']) {
    const row = taskRun(claim.runId, name);
    await store.recorder.addTaskRun(claim, row, transitionOf(row));
  }
  expect(await store.taskRuns.ofRun(claim.runId)).toHaveLength(3);
  const waiting = { ...newRun(), state: { type: 'SCHEDULED', name: 'Scheduled', message: null } as const };
  await store.fleet.insertMany([{ run: waiting, idempotencyKey: null }]);
  expect((await store.fleet.claimMany([waiting.id], owner, leaseMs)).size).toBe(1);
  expect((await store.runs.list({ limit: 5 })).items.length).toBeGreaterThan(0);
}

// By session each client keeps a connection of the server, so there must be enough of them.
test.each<[PoolMode, number]>([
  ['transaction', 3],
  ['session', 80],
])('three processes write and read through a pooler by %s', async (mode, poolSize) => {
  const url = await pooled(mode, poolSize);
  const stores = [await open(url), await open(url), await open(url)];
  await Promise.all(stores.flatMap((store) => Array.from({ length: 8 }, () => useAll(store))));
  expect(await database.query('select count(*)::integer as runs from runs')).toEqual([{ runs: 48 }]);
});

test('nothing is left on the connections that a pooler by transaction shares', async () => {
  const url = await pooled('transaction', 2);
  await useAll(await open(url));
  const other = await open(url);
  expect((await lookAtDatabase(url))?.isPooled).toBe(true);
  expect((await lookAtDatabase(database.url))?.isPooled).toBe(false);
  await useAll(other);
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  for (let look = 0; look < 4; look++) {
    const { rows } = await client.query(
      `select current_setting('enable_seqscan') as seqscan, current_setting('jit') = (select boot_val from pg_settings where name = 'jit') as jit,
       (select count(*)::integer from pg_prepared_statements) as prepared`,
    );
    expect(rows).toEqual([{ seqscan: 'on', jit: true, prepared: 0 }]);
  }
  await client.end();
});

test('a pooler by statement is refused by name', async () => {
  const url = await pooled('statement');
  await expect(openStore({ url })).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: expect.stringContaining('pool_mode to transaction'),
  });
});

test('tickets are refused by name through a pooler by transaction, and go through one by session', async () => {
  const store = await openStore({ url: 'sqlite::memory:' });
  opened.push(store);
  const deaf = await pooled('transaction');
  await expect(openBroker({ url: deaf, store })).rejects.toMatchObject({
    code: 'BROKER_UNAVAILABLE',
    message: expect.stringContaining('keeps no session (pool_mode = transaction)'),
  });
  const broker = await openBroker({ url: await pooled('session', 20), store });
  await broker.close();
});
