/** Events as they are stored, listed and forgotten. */
import type { Connection } from '../connection.ts';
import { limitOf, pageOf, placeOf } from '../lists/cursor.ts';
import { clockOf, Params } from '../sql.ts';
import type { EmittedStore, EventFilter, NewEvent } from './contract.ts';
import { eventOf, type EventRow, eventTable } from './tables.ts';

const { list } = eventTable;
/** What has occurred is known by its number for at least so long, ms: see `ends.ts`. */
const knownMs = 86_400_000;

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
      const rows = await query<EventRow & { readonly seq: number }>(
        `select ${list}, seq from events where ${where} order by seq desc limit ${limit + 1}`,
        params,
      );
      return pageOf(rows, limit, eventOf, ({ seq, id }) => ({ createdAt: seq, id }));
    },
    async prune(before) {
      const gone = await query('delete from events where received_at < $1 and pending is null returning id', [before]);
      await query('delete from trigger_firings where at < $1', [before]);
      const known = (await clockOf(connection)) - knownMs;
      await query('delete from trigger_causes where seen_at < $1 and firing is not null', [known]);
      return gone.length;
    },
  };
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
  // Deleted in between by retention: it counts as known all the same.
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
