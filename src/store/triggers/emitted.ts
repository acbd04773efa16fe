/** Events as they are stored, listed and deleted. */
import type { Connection, Database } from '../connection.ts';
import { cursorOf, limitOf, placeOf } from '../lists/cursor.ts';
import { fittingLines } from '../lists/logs.ts';
import { clockOf, Params } from '../sql.ts';
import type { EmittedStore, EventFilter, NewEvent } from './contract.ts';
import { eventOf, type EventRow, eventTable } from './tables.ts';

const { list } = eventTable;
/** Occurrences are known by their numbers for at least this long, ms: see `ends.ts`. */
const knownMs = 86_400_000;
/** Most payload bytes in one page. */
const pageBytes = 4_000_000;

/** See `EmittedStore`. */
export function emittedStore(connection: Connection): EmittedStore {
  const { query } = connection;
  const get = async (id: string): Promise<EventRow | undefined> =>
    (await query<EventRow>(`select ${list} from events where id = $1`, [id]))[0];
  return {
    add: (event) => addEvent(connection, event),
    async get(id) {
      const row = await get(id);
      return row === undefined ? null : eventOf(row);
    },
    list: async (filter = {}) => {
      const limit = limitOf(filter.limit, 50, 1000);
      const { where, params } = conditionsOf(filter);
      const sizes = await query<{ readonly seq: number; readonly id: string; readonly bytes: number }>(
        `select seq, id, coalesce(octet_length(payload), 0) as bytes from events where ${where} order by seq desc limit ${limit + 1}`,
        params,
      );
      const shown = sizes.slice(0, Math.min(limit, fittingLines(sizes, pageBytes)));
      const [first, last] = [shown[0], shown.at(-1)];
      if (first === undefined || last === undefined) return { items: [], next: null };
      const rows = await query<EventRow>(
        `select ${list} from events where ${where} and seq between ${last.seq} and ${first.seq} order by seq desc`,
        params,
      );
      return { items: rows.map(eventOf), next: shown.length < sizes.length ? cursorOf({ createdAt: last.seq, id: last.id }) : null };
    },
    prune: (before) => connection.transaction((db) => pruneEvents(db, before)),
  };
}

async function pruneEvents(db: Database, before: number): Promise<number> {
  const gone = await db.query('delete from events where received_at < $1 and pending is null returning id', [before]);
  // Numbers are reused once the highest are gone: what comes next is still new to every trigger.
  if (db.dialect === 'sqlite')
    await db.query(
      `update triggers set from_event = (select coalesce(max(seq), 0) from events)
       where from_event > (select coalesce(max(seq), 0) from events)`,
    );
  await db.query('delete from trigger_firings where at < $1', [before]);
  // An end that is not settled is read again, however old it is.
  const isRead =
    db.dialect === 'sqlite'
      ? ''
      : `and not exists (select 1 from transitions as change, end_places as place
           where place.reader = 'triggers' and change.run_id = trigger_causes.subject and change.task_run_id is null and change.seq > place.settled)`;
  const known = (await clockOf(db)) - knownMs;
  await db.query(`delete from trigger_causes where seen_at < $1 and firing is not null ${isRead}`, [known]);
  return gone.length;
}

/** Inside a transaction or by itself. */
export async function addEvent(db: Pick<Connection, 'query' | 'fragments' | 'now'>, event: NewEvent): ReturnType<EmittedStore['add']> {
  const { id, name, payload, source, at, callerRunId, traceparent } = event;
  const [added] = await db.query<EventRow>(
    `insert into events (id, name, payload, source, at, received_at, caller_run_id, traceparent, pending)
     values ($1, $2, $3, $4, $5, ${db.fragments.now(8)}, $6, $7, 1) on conflict (id) do nothing returning ${list}`,
    [id, name, payload, source, at, callerRunId, traceparent, db.now()],
  );
  if (added !== undefined) return { event: eventOf(added), inserted: true };
  const [standing] = await db.query<EventRow>(`select ${list} from events where id = $1`, [id]);
  // Deleted in between by retention: still counts as known.
  return { event: standing === undefined ? { ...event, receivedAt: at } : eventOf(standing), inserted: false };
}

function conditionsOf({ name, source, since, until, cursor }: EventFilter): { readonly where: string; readonly params: Params['values'] } {
  const params = new Params();
  const conditions = ['1 = 1'];
  if (name !== undefined) conditions.push(`name = ${params.add(name)}`);
  if (source !== undefined) conditions.push(`source = ${params.add(source)}`);
  if (since !== undefined) conditions.push(`received_at >= ${params.add(since)}`);
  if (until !== undefined) conditions.push(`received_at < ${params.add(until)}`);
  if (cursor !== undefined) conditions.push(`seq < ${params.add(placeOf(cursor).createdAt)}`);
  return { where: conditions.join(' and '), params: params.values };
}
