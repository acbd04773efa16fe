/**
 * Brings forward runs that need not wait as long as planned, because those before them were cancelled or deleted, or the rate was raised.
 * They are due at once, and ask. Also clears away unused rows.
 */
import { systemClock } from '../../base/clock.ts';
import type { Connection, Database } from '../connection.ts';
import { clockOf, forUpdate, listed, listOf, lockInOrder, openList } from '../sql.ts';
import type { Ticketed } from '../leases/contract.ts';
import { freedAnew } from '../leases/leases.ts';
import { decide, type Decision, type RateState } from './rate-places.ts';
import { holdRates, readRates } from './rate-windows.ts';
import { untilOnDisk, writeDecision } from './rate-writes.ts';

/** Rates per pass, least recently touched first. */
const maxRates = 50;
/** Most runs of a rate brought forward at once. */
const maxRuns = 1_000;
/** Runs that have to wait longer than this are not kept by a process, ms. */
const asleepMs = 500;
/** How long those brought forward have to arrive before others take their turn, ms. */
const comingMs = 500;
/** A window not asked for this long after its end is cleared away, ms. */
const unusedMs = 60_000;
/** How often a store clears away such windows, and what is left of ended runs, ms. */
const clearedEveryMs = 60_000;

interface Sleeping {
  readonly name: string;
  readonly base: string;
}

interface Waiter {
  readonly id: string;
  readonly run_id: string;
  readonly next_at: number;
}

/** See `RateStore.advance`. @param clearEveryMs shortest time between two clearings; the first call always clears */
export function rateAdvance(connection: Connection, clearEveryMs: number = clearedEveryMs): () => Promise<readonly Ticketed[]> {
  let clearedAt = Number.NEGATIVE_INFINITY;
  return async () => {
    const runs = await advanceRates(connection);
    const now = systemClock.monotonic();
    if (now - clearedAt < clearEveryMs) return runs;
    clearedAt = (await clear(connection)) ? Number.NEGATIVE_INFINITY : now;
    return runs;
  };
}

async function advanceRates(connection: Connection): Promise<readonly Ticketed[]> {
  const { fragments, query } = connection;
  const rows = await query<Sleeping>(
    `select name, base from rate_windows where exists (
       select 1 from rate_waits where rate_waits.name = rate_windows.name and next_at > ${fragments.now(1)} + ${asleepMs})
     order by touched_at, name limit ${maxRates}`,
    [connection.now()],
  );
  const runs: Ticketed[] = [];
  for (const row of rows) if (await mayAdvance(connection, row)) runs.push(...(await connection.transaction((db) => advance(db, row))));
  if (runs.length > 0) await untilOnDisk(connection);
  return runs;
}

/** Whether it is worth holding: there is room for some that sleep. Others would wait for nothing. */
async function mayAdvance(db: Database, one: Sleeping): Promise<boolean> {
  const { at, declared, states } = await readRates(db, { names: [one], holders: [], at: null, aheadMs: 0 });
  if (!declared.has(one.base)) return true;
  const free = freeOf(states.get(one.name), decide([], states, at, 0));
  return free > 0 && (await firstAsleep(db, one.name, free, at)).length > 0;
}

/** Of the first in line those that sleep. What also waits for another, full rate would only be sent back. */
async function firstAsleep(db: Database, name: string, free: number, at: number): Promise<readonly Waiter[]> {
  const first = await db.query<Waiter>(
    `select id, run_id, next_at from rate_waits where name = $1 and not exists (
       select 1 from rate_waits as other join rate_windows on rate_windows.name = other.name
       where other.id = rate_waits.id and other.name <> $1 and other.next_at > $3 and rate_windows.used >= rate_windows.starts)
     order by priority desc, since_at, id limit $2`,
    [name, free, at],
  );
  return first.filter(({ next_at }) => Number(next_at) > at + asleepMs);
}

/** How many may begin, once what no longer counts is cleared away. */
function freeOf(state: RateState | undefined, { changes }: Decision): number {
  if (!state) return 0;
  return Math.min(maxRuns, state.limit - state.used + (changes.get(state.name)?.gone.length ?? 0));
}

async function advance(db: Database, { name, base }: Sleeping): Promise<readonly Ticketed[]> {
  const { at, free } = await roomOf(db, { name, base });
  if (free <= 0) return [];
  await db.query(
    `delete from rate_waits where name = $1 and not exists (
       select 1 from runs where runs.id = rate_waits.run_id and runs.state_type in (${openList}))`,
    [name],
  );
  const early = await firstAsleep(db, name, free, at);
  if (early.length === 0) return [];
  const waits = listOf(early.map(({ id }) => id).sort());
  await db.query(
    // In the order in which waiters write them.
    `update rate_waits set next_at = $3 where name = $1 and id in (
       select id from rate_waits where name = $1 and id in ${listed(db, 2)} order by id ${forUpdate(db)})`,
    [name, waits, at + comingMs],
  );
  // A sub-flow with the runs that wait for it.
  const runs = `with recursive waiting (id) as (
         select id from runs where id in ${listed(db, 1)}
         union select runs.parent_run_id from waiting join runs on runs.id = waiting.id where runs.parent_run_id is not null)
       select waiting.id from waiting`;
  const runIds = listOf([...new Set(early.map(({ run_id }) => run_id))].sort());
  if (db.dialect === 'postgres') await db.query(`select id from runs where id in (${runs}) ${lockInOrder(db, 'runs')}`, [runIds]);
  const due = await db.query<Ticketed>(
    // Invalidates the ticket in flight for later.
    `update runs set due_at = $2, ${freedAnew}, ticketed_at = $2
     where id in (${runs}) and owner is null and due_at > $2 and state_type in ('SCHEDULED', 'PAUSED')
     returning id, epoch, queue, priority, due_at as "dueAt"`,
    [runIds, at],
  );
  // Released spread tasks; they get a new ticket as if theirs was lost.
  await db.query(
    `update spread_tasks set due_at = $2, epoch = epoch + 1, ticketed_at = null from (
       select id as early_id from spread_tasks where id in ${listed(db, 1)} and stage = 'waiting' and due_at > $2 ${lockInOrder(db, 'spread_tasks')}
     ) as early where id = early_id`,
    [waits, at],
  );
  return due;
}

/** How many may begin now, after clearing away what no longer counts. Holds the rate, if declared, until the transaction ends. */
async function roomOf(db: Database, one: Sleeping): Promise<{ readonly at: number; readonly free: number }> {
  const read = (at: number | null): ReturnType<typeof readRates> => readRates(db, { names: [one], holders: [], at, aheadMs: 0 });
  const { declared } = await read(null);
  if (!declared.has(one.base)) return { at: await clockOf(db), free: maxRuns };
  const at = await holdRates(db, [one], declared);
  const { states } = await read(at);
  const decision = decide([], states, at, 0);
  await writeDecision(db, decision, states, 0);
  return { at, free: freeOf(states.get(one.name), decision) };
}

/** Waits of ended runs, and windows that are over and not waited for. Returns whether there may be more of them. */
async function clear(connection: Connection): Promise<boolean> {
  const { query, fragments, now } = connection;
  await query(
    `delete from rate_waits where next_at < ${fragments.now(1)} - ${unusedMs} and not exists (
       select 1 from runs where runs.id = rate_waits.run_id and runs.state_type in (${openList}))`,
    [now()],
  );
  const over = await query<{ name: string }>(
    `select name from rate_windows where touched_at + per_ms < ${fragments.now(1)} - ${unusedMs} and not exists (
       select 1 from rate_waits where rate_waits.name = rate_windows.name) order by name limit ${maxRuns}`,
    [now()],
  );
  for (const { name } of over)
    await connection.transaction(async (db) => {
      const gone = await db.query(
        `delete from rate_windows where name = $1 and touched_at + per_ms < ${db.fragments.now(2)} - ${unusedMs} returning name`,
        [name, db.now()],
      );
      if (gone.length > 0) await db.query('delete from rate_starts where name = $1', [name]);
    });
  return over.length === maxRuns;
}
