/**
 * Slots of tasks: requested, given back, and passed on. One transaction at a time decides, across all processes.
 *
 * A task that needs slots of several limits gets them all at once. Until then it keeps its place in every line, so that tasks that need
 * fewer cannot pass it forever; they pass only if one of its limits is 0.
 */
import type { Database, Connection } from '../connection.ts';
import { listed, listOf, clockOf } from '../sql.ts';
import { boolean, describeTable, text, named, integer } from '../table.ts';
import { waitText } from '../../model/limit.ts';
import type { LimitStore, SlotAnswer, SlotChange, SlotClaim, SlotWish } from './contract.ts';
import { TaskLines, validSlot } from './task-lines.ts';
import { jsonText } from '../storable.ts';

/** Most runs that a message names. */
const maxNamed = 4;

/** What a wish records for each of its slots. */
const wishTable = describeTable('limit_slots', {
  name: text,
  holder_id: named('holder', text),
  run_id: text,
  epoch: integer,
  spread: boolean,
  task: text,
  priority: integer,
});

/** Inside a transaction: nobody else decides about slots of tasks until it ends. SQLite has locked all already. */
async function lockSlots({ dialect, query }: Database): Promise<void> {
  if (dialect === 'postgres') await query('select pg_advisory_xact_lock(7236019)');
}

/** See `LimitStore.askSlots`. */
export async function askSlots(connection: Connection, ownerId: string, wishes: readonly SlotWish[]): Promise<readonly SlotAnswer[]> {
  return await connection.transaction(async (db) => {
    await lockSlots(db);
    const at = await clockOf(db);
    const kept = 'limit_slots.epoch = excluded.epoch and limit_slots.spread = excluded.spread';
    await db.query(
      `insert into limit_slots (name, holder_id, run_id, epoch, spread, owner_id, task, priority, waiting_since, held_since)
       select name, holder_id, run_id, epoch, spread, $2, task, priority, $3, null from ${db.fragments.list(1, wishTable.kinds)} as wished where true
       on conflict (name, holder_id) do update set epoch = excluded.epoch, spread = excluded.spread, owner_id = excluded.owner_id,
         waiting_since = case when ${kept} then limit_slots.waiting_since else excluded.waiting_since end,
         held_since = case when ${kept} then limit_slots.held_since else null end`,
      [
        jsonText(
          wishes.flatMap((wish) => wish.names.map((name) => wishTable.values({ ...wish, name, priority: Math.round(wish.priority) }))),
        ),
        ownerId,
        at,
      ],
    );
    const lines = new TaskLines(db);
    await lines.giveOn([...new Set(wishes.flatMap(({ names }) => names))], at);
    const waiting = await waitingFor(db, wishes);
    const messages = new Map<string, string>();
    for (const name of new Set(waiting.values())) {
      const { slots, holders } = await lines.standing(name, maxNamed);
      messages.set(name, waitText(name, holders.count, slots ?? 0, holders.names));
    }
    return wishes.map(({ holder }): SlotAnswer => {
      const name = waiting.get(holder);
      return name === undefined ? { held: true } : { held: false, message: messages.get(name) ?? '' };
    });
  });
}

/** For each waiting wish: the first, by name, of its limits that it waits for. */
async function waitingFor(db: Database, wishes: readonly SlotWish[]): Promise<ReadonlyMap<string, string>> {
  const rows = await db.query<{ holder_id: string; name: string }>(
    `select holder_id, name from limit_slots
     where held_since is null and holder_id in ${listed(db, 1)} order by name desc`,
    [listOf(wishes.map(({ holder }) => holder))],
  );
  return new Map(rows.map(({ holder_id, name }) => [holder_id, name]));
}

/** See `LimitStore.giveSlots`. */
export async function giveSlots(connection: Connection, holders: readonly SlotClaim[]): Promise<SlotChange> {
  return await changeSlots(connection, async ({ query }) => {
    const rows = await query<{ name: string }>(
      `delete from limit_slots where exists (
         select 1 from ${connection.fragments.list(1, { holder: 'text', held_epoch: 'integer' })} as given
         where given.holder = limit_slots.holder_id and given.held_epoch = limit_slots.epoch) and holder_id in ${listed(connection, 2)}
       returning name`,
      [jsonText(holders.map(({ holder, epoch }) => [holder, epoch])), listOf(holders.map(({ holder }) => holder))],
    );
    return rows.map(({ name }) => name);
  });
}

/** See `LimitStore.sweepSlots`. */
export async function sweepSlots(connection: Connection): Promise<SlotChange> {
  const waitedFor = 'select distinct name from limit_slots where held_since is null';
  // A query costs no lock; most find nothing.
  if ((await connection.query(`${waitedFor} limit 1`)).length === 0) return { owners: [] };
  return await changeSlots(connection, async ({ query }) => (await query<{ name: string }>(waitedFor)).map(({ name }) => name));
}

/** One transaction: makes a change, then passes on the slots of the limits it returns. */
export async function changeSlots(connection: Connection, change: (db: Database) => Promise<readonly string[]>): Promise<SlotChange> {
  return await connection.transaction(async (db) => {
    await lockSlots(db);
    const names = [...new Set(await change(db))];
    if (names.length === 0) return { owners: [] };
    const at = await clockOf(db);
    return { owners: await new TaskLines(db).giveOn(names, at) };
  });
}

/** See `LimitStore.slotsHeld`. */
export async function slotsHeld(connection: Connection, holders: readonly string[]): Promise<readonly string[]> {
  if (holders.length === 0) return [];
  const rows = await connection.query<{ holder_id: string }>(
    `select distinct holder_id from limit_slots
     where held_since is null and holder_id in ${listed(connection, 1)}`,
    [listOf(holders)],
  );
  const waiting = new Set(rows.map(({ holder_id }) => holder_id));
  return holders.filter((id) => !waiting.has(id));
}

/** See `LimitStore.taskWaits`. */
export async function taskWaitsOf({ query }: Connection, runId: string): ReturnType<LimitStore['taskWaits']> {
  const rows = await query<{ name: string; task: string; tasks: number }>(
    `select name, task, count(*) as tasks from limit_slots where run_id = $1 and held_since is null and ${validSlot}
     group by name, task order by name, task`,
    [runId],
  );
  return rows.map(({ name, task, tasks }) => ({ name, task, tasks: Number(tasks) }));
}
