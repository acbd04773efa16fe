/** What BullMQ leaves on a PostgreSQL server. */
import { expect, test } from 'vitest';
import { openBroker } from '../../../src/broker/open.ts';
import { openStore } from '../../../src/store/open.ts';
import { createDatabase } from '../../support/postgres.ts';

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
    await expect.poll(() => database.query(others), { timeout: 5_000 }).toEqual([]);
    await database.drop();
  }
  expect(told).toEqual([]);
  await store.close();
});
