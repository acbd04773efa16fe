/** What a fleet stands on is taken away under load: Redis with all its memory, PostgreSQL for a restart. */
import { afterEach, expect, test } from 'vitest';
import { doneAgain, ends } from '../support/fleet-record.ts';
import { type Fleet, makeFleet } from '../support/fleet.ts';
import { startPostgres } from '../support/postgres-process.ts';
import { startRedis } from '../support/redis.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Runs that keep two workers busy for some seconds. */
function submit(fleet: Fleet, count: number): Promise<readonly string[]> {
  return fleet.client.enqueueMany(
    'ledger-run',
    Array.from({ length: count }, () => ({ params: fleet.params({ items: 6, ms: 150 }) })),
  );
}

async function startAll(fleet: Fleet): Promise<void> {
  cleanups.push(() => fleet.stop());
  await Promise.all([
    fleet.start('worker', '--name', 'one', '--concurrency', '6'),
    fleet.start('worker', '--name', 'two', '--concurrency', '6'),
    fleet.start('scheduler'),
  ]);
}

/** Resolves once some of the runs have begun. */
async function underWay(fleet: Fleet): Promise<void> {
  await expect.poll(() => fleet.readLedger().length, { timeout: 10_000 }).toBeGreaterThan(10);
}

async function expectAllWell(fleet: Fleet, ids: readonly string[]): Promise<void> {
  const ended = await ends(fleet, ids);
  expect(ended.filter(({ state }) => state.name !== 'Completed').map(({ id, state }) => [id, state])).toEqual([]);
  expect(await doneAgain(fleet, ids)).toEqual([]);
}

test('Redis dies under load and comes back empty: what was submitted before, and while it was away, completes', async () => {
  const redis = await startRedis();
  cleanups.push(() => redis.stop());
  const fleet = await makeFleet({ on: 'postgres and redis', redisUrl: redis.url });
  await startAll(fleet);
  const before = await submit(fleet, 60);
  await underWay(fleet);
  await redis.kill();
  const meanwhile = await submit(fleet, 3);
  await redis.start();
  await expectAllWell(fleet, [...before, ...meanwhile]);
  // Nobody was lost, so no run had to change hands.
  const runs = await Promise.all([...before, ...meanwhile].map((id) => fleet.client.runs.get(id)));
  expect(runs.filter(({ recoveries }) => recoveries > 0)).toEqual([]);
});

test('PostgreSQL restarts under load: every run completes, nothing recorded is executed again', async () => {
  const postgres = await startPostgres();
  cleanups.push(() => postgres.stop());
  const fleet = await makeFleet({ on: 'postgres and redis', databaseUrl: postgres.url, leaseMs: 4_000 });
  await startAll(fleet);
  const ids = await submit(fleet, 60);
  await underWay(fleet);
  await postgres.restart();
  await expectAllWell(fleet, ids);
});
