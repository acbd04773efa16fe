/** Rates on a PostgreSQL whose commits wait for the disk without end, or whose rate somebody holds. */
import pg from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { makeId } from '../../../src/base/id.ts';
import { openStore } from '../../../src/store/open.ts';
import type { RateAnswer, RateWish, Store } from '../../../src/store/store.ts';
import { newRun } from '../../contract/store/rows.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres-process.ts';
import { createDatabaseOn, type TestDatabase } from '../../support/postgres.ts';

const options = { withinMs: 2_000, aheadMs: 0 };
const hour = 3_600_000;

let server: PostgresServer;
let database: TestDatabase;
const stores: Store[] = [];
beforeAll(async () => {
  server = await startPostgres();
  database = await createDatabaseOn(server.url);
});
let over = new AbortController();
beforeEach(() => void (over = new AbortController()));
afterEach(async () => {
  over.abort();
  await releaseCommits();
  await Promise.all(stores.splice(0).map((store) => store.close()));
});
afterAll(() => server.stop());

/** One for each process of a fleet. */
async function open(): Promise<Store> {
  const store = await openStore({ url: database.url });
  stores.push(store);
  return store;
}

const wishOf = (tag: string): RateWish => {
  const name = `tag:${tag}`;
  return { holder: makeId(), start: makeId(), runId: makeId(), task: 'send', names: [{ name, base: name }], priority: 0 };
};

async function until(holds: () => Promise<boolean>): Promise<void> {
  const { signal } = over;
  while (!(await holds())) await sleep(20, undefined, { signal });
}

async function countOf(from: string): Promise<number> {
  const [row] = await database.query<{ count: number }>(`select count(*)::integer as count from ${from}`);
  return row?.count ?? 0;
}

/** How many commits wait for what they wrote. */
const waitingCommits = (): Promise<number> => countOf(`pg_stat_activity where wait_event = 'SyncRep'`);

/** Has all commits that wait for the disk wait for that of a standby that does not exist. `probe`: the first of them. */
async function holdCommits(): Promise<{ readonly probe: Promise<unknown> }> {
  await database.query(`alter system set synchronous_standby_names = 'nobody'`);
  await database.query('select pg_reload_conf()');
  let probe: Promise<unknown> = Promise.resolve();
  await until(async () => {
    let isOver = false;
    probe = database.query(`select pg_logical_emit_message(true, 'probe', '')`).then(() => (isOver = true));
    await until(async () => isOver || (await waitingCommits()) > 0);
    return !isOver;
  });
  return { probe };
}

async function releaseCommits(): Promise<void> {
  await database.query('alter system reset synchronous_standby_names');
  await database.query('select pg_reload_conf()');
}

test('a decision about a rate that waits for the disk keeps no other from being made, and nobody begins before it is there', async () => {
  const processes = await Promise.all(Array.from({ length: 4 }, open));
  const [first, second, third, fourth] = processes as [Store, Store, Store, Store];
  await first.rates.setTagRate('tag:api', { limit: 10, perMs: hour, key: null });
  const { probe } = await holdCommits();
  const answers: RateAnswer[] = [];
  const ask = async (store: Store): Promise<void> => void answers.push(...(await store.rates.ask([wishOf('api')], options)));
  // The first of them hold the rate, which is not on record; the others find it there.
  const asked = [ask(first), ask(second)];
  await until(async () => (await countOf('rate_starts')) === 2);
  asked.push(ask(third), ask(fourth));
  await until(async () => (await countOf('rate_starts')) === 4);
  // The probe is one of them.
  await until(async () => (await waitingCommits()) === 1 + asked.length);
  expect(answers).toEqual([]);
  await releaseCommits();
  await Promise.all([...asked, probe]);
  expect(answers.map(({ granted }) => granted)).toEqual([true, true, true, true]);
});

test('what is confirmed, given back or left under a rate does not wait for the disk', async () => {
  const store = await open();
  await store.rates.setTagRate('tag:mail', { limit: 2, perMs: hour, key: null });
  const [begun, givenBack, waiting] = [wishOf('mail'), wishOf('mail'), wishOf('mail')];
  await store.rates.ask([begun, givenBack], options);
  const { probe } = await holdCommits();
  const [answer] = await store.rates.ask([waiting], options);
  expect(answer?.granted).toBe(false);
  await store.rates.started([{ start: begun.start, at: Date.now() }]);
  await store.rates.leave([waiting.holder]);
  await store.rates.giveBack([givenBack.start]);
  expect(await countOf(`rate_starts where name = 'tag:mail'`)).toBe(1);
  expect(await countOf(`rate_waits where name = 'tag:mail'`)).toBe(0);
  await releaseCommits();
  await probe;
});

test('the pass that brings runs forward leaves a full rate alone', async () => {
  const store = await open();
  await store.rates.setTagRate('tag:full', { limit: 1, perMs: hour, key: null });
  await store.rates.ask([wishOf('full')], options);
  const run = newRun();
  await store.fleet.insertMany([{ run, idempotencyKey: null }]);
  const [answer] = await store.rates.ask([{ ...wishOf('full'), runId: run.id }], options);
  expect(answer?.granted).toBe(false);
  const other = new pg.Client({ connectionString: database.url });
  await other.connect();
  try {
    await other.query('begin');
    await other.query(`select 1 from rate_windows where name = 'tag:full' for update`);
    expect(await store.rates.advance()).toEqual([]);
  } finally {
    await other.end();
  }
});
