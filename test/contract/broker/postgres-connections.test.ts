/** What BullMQ leaves on a PostgreSQL server. */
import { expect, test } from 'vitest';
import { openBroker } from '../../../src/broker/open.ts';
import { openStore } from '../../../src/store/open.ts';
import { startProxy } from '../../support/postgres-proxy.ts';
import { createDatabase } from '../../support/postgres.ts';

test('a server that shuts down while a consumer is closed ends no process with it', async () => {
  const store = await openStore({ url: 'sqlite::memory:' });
  const database = await createDatabase();
  const proxy = await startProxy(database.url);
  const broker = await openBroker({ url: proxy.url, store });
  broker.consume('default', { concurrency: 1 }, async () => undefined);
  const listening = `select 1 from pg_stat_activity where datname = current_database() and query like '%LISTEN bullmq_jobs%'`;
  await expect.poll(() => database.query(listening), { timeout: 20_000 }).not.toEqual([]);
  proxy.refuseFarewells();
  await broker.close();
  await expect.poll(() => proxy.refusals, { timeout: 5_000 }).toBeGreaterThan(0);
  await proxy.close();
  await database.drop();
  await store.close();
});

test('a consumer that is closed while it begins leaves no connection behind, and nothing to complain of', async () => {
  const store = await openStore({ url: 'sqlite::memory:' });
  const told: unknown[] = [];
  // In a new database each, where BullMQ takes its time to begin.
  for (let turn = 0; turn < 8; turn += 1) {
    const database = await createDatabase();
    const broker = await openBroker({ url: database.url, store, onError: (error) => told.push(error) });
    broker.consume('default', { concurrency: 5 }, async () => undefined);
    await broker.close();
    const others = `select application_name from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`;
    // One that is made late is made by now.
    await new Promise((resolve) => setTimeout(resolve, 100));
    await expect.poll(() => database.query(others), { timeout: 20_000 }).toEqual([]);
    await database.drop();
  }
  expect(told).toEqual([]);
  await store.close();
});
