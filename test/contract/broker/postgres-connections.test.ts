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

test('a process holds no more connections than it is given, beside one for each queue that it takes from and one for messages', async () => {
  const store = await openStore({ url: 'sqlite::memory:' });
  const database = await createDatabase();
  const told: unknown[] = [];
  const broker = await openBroker({ url: database.url, store, connections: 4, onError: (error) => told.push(error) });
  const queues = ['one', 'two', 'three', 'four', 'five'];
  const taken = new Set<string>();
  const consume = (served: readonly string[]): unknown => broker.consume(served, { concurrency: 40 }, async ({ id }) => void taken.add(id));
  consume(queues);
  consume(['six']);
  await broker.subscribe('news', () => undefined);
  let most = 0;
  const look = async (): Promise<void> => {
    const [row] = await database.query<{ held: number }>(
      // Those of this look, and of the one before that may still be going, have no name.
      `select count(*)::integer as held from pg_stat_activity where datname = current_database() and application_name <> ''`,
    );
    most = Math.max(most, row?.held ?? 0);
  };
  const put = async (queue: string, ids: readonly string[]): Promise<void> => {
    for (const id of ids) await broker.put({ kind: 'run', id, epoch: 1 }, { queue });
  };
  const idsOf = (queue: string): string[] => Array.from({ length: 30 }, (_, at) => `${queue}-${at}`);
  const putting = Promise.all([...queues, 'six'].map((queue) => put(queue, idsOf(queue))));
  await expect.poll(async () => (await look(), taken.size), { timeout: 25_000, interval: 5 }).toBe(180);
  await putting;
  // Many asked at once, so all of the pools were in use.
  expect(most).toBeGreaterThan(6);
  expect(most).toBeLessThanOrEqual(4 + 6 + 1);
  expect(told).toEqual([]);
  await broker.close();
  await database.drop();
  await store.close();
});
