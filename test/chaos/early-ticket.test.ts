/** A run whose ticket came and went before its row was written. */
import pg from 'pg';
import { afterEach, expect, test } from 'vitest';
import { type Fleet, makeFleet } from '../support/fleet.ts';
import { createDatabase } from '../support/postgres.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function connect(url: string): Promise<pg.Client> {
  const connection = new pg.Client({ connectionString: url });
  await connection.connect();
  cleanups.push(() => connection.end());
  return connection;
}

/** Whether the broker holds nothing, and whether the first ticket has come and gone. */
async function isDropped(fleet: Fleet): Promise<boolean> {
  const { waiting, taken } = await (await fleet.client.broker()).stats('default');
  return waiting + taken === 0;
}

test('a worker that drops the ticket of a run whose row is held up gets another once the row is there', async () => {
  const database = await createDatabase();
  cleanups.push(() => database.drop());
  const fleet = await makeFleet({ on: 'postgres and redis', databaseUrl: database.url });
  cleanups.push(() => fleet.stop());
  await fleet.start('worker');
  await (await fleet.client.enqueue('ledger-run', fleet.params())).result();
  const [holder, looker] = [await connect(database.url), await connect(database.url)];
  // The row of a run is written together with the beginning of its history.
  await holder.query('begin; lock table transitions in share row exclusive mode');
  const submitting = fleet.client.enqueue('ledger-run', fleet.params());
  const waiting = `select 1 from pg_locks where relation = 'transitions'::regclass and not granted`;
  await expect.poll(async () => (await looker.query(waiting)).rowCount).toBe(1);
  await expect.poll(() => isDropped(fleet), { timeout: 5_000 }).toBe(true);
  await holder.query('commit');
  const handle = await submitting;
  const ticketedAt = async (): Promise<unknown> =>
    (await looker.query('select ticketed_at from runs where id = $1', [handle.id])).rows[0].ticketed_at;
  const before = await ticketedAt();
  await handle.result();
  // Whoever puts tickets that were lost would have noted so.
  expect(await ticketedAt()).toBe(before);
});
