/** What waits on disk to be reported (SQLite): its items, who reports them, and how much space they take. */
import type { Connection, Database } from '../connection.ts';
import { readJson, readOwner } from '../read-json.ts';
import { clockOf, listed, listOf, terminalList } from '../sql.ts';
import { jsonText } from '../storable.ts';
import { captureChanges, isBehindText } from './capture.ts';
import type { OutboxIdentity, OutboxStore, OutboxTokens, WaitingItem } from './contract.ts';

/** How long after its end a run is still followed, ms: hooks write lines and artifacts then. */
const followedMs = 60_000;
/** Items considered together to make room, and the share of the limit down to which it is made. */
const roomRows = 1_000;
const roomShare = 0.9;

interface State {
  readonly reporter_id: string;
  readonly secret: string;
  readonly name: string;
  readonly version: string;
  readonly previous_id: string | null;
  readonly previous_secret: string | null;
  readonly token: string | null;
  readonly next_token: string | null;
  readonly sent_seq: number;
  readonly is_registered: number;
  readonly events_seq: number;
  readonly confirmed: number;
  readonly waiting_items: number;
  readonly waiting_bytes: number;
  readonly dropped: number;
  readonly holder: string | null;
  readonly holder_until: number;
}

/** Null if nothing is reported from this database. */
export function outboxStore(connection: Connection): OutboxStore | null {
  if (connection.dialect !== 'sqlite') return null;
  let quietAt = '';
  return {
    hold: (wish) => connection.transaction((db) => hold(db, wish)),
    async letGo(owner) {
      await connection.query('update report_state set holder = null, holder_until = 0 where holder = $1', [jsonText(owner)]);
    },
    tokens: (makeToken) => connection.transaction((db) => tokensOf(db, makeToken)),
    async registered(id, token) {
      await connection.query(
        `update report_state set is_registered = 1, previous_id = null, previous_secret = null,
           token = case when next_token = $2 then $2 else token end, next_token = case when next_token = $2 then null else next_token end
         where reporter_id = $1`,
        [id, token],
      );
    },
    async capture({ maxBytes, ...ranBy }) {
      // Nothing is scanned while nobody writes.
      const place = await placeOf(connection);
      if (place === quietAt) return { captured: 0, hasMore: false };
      const state = await stateOf(connection);
      if (state === null || !(await isBehind(connection, state))) {
        quietAt = place;
        return { captured: 0, hasMore: false };
      }
      return await connection.transaction(async (db) => {
        const { events_seq: before } = (await stateOf(db)) ?? state;
        const { items, bytes, eventsSeq, hasMore } = await captureChanges(db, before, ranBy);
        await db.query('update report_state set events_seq = $1, waiting_items = waiting_items + $2, waiting_bytes = waiting_bytes + $3', [
          eventsSeq,
          items,
          bytes,
        ]);
        if (!hasMore) await stopFollowing(db);
        await makeRoom(db, maxBytes);
        return { captured: items, hasMore };
      });
    },
    next: (maxItems, maxBytes) => nextItems(connection, maxItems, maxBytes),
    async sending(last) {
      await connection.query('update report_state set sent_seq = $1 where sent_seq < $1', [last]);
    },
    confirm: (last) =>
      connection.transaction(async (db) => {
        await removeItems(db, 'seq <= $1', [last]);
        await db.query('update report_state set confirmed = $1 where confirmed < $1', [last]);
      }),
    leaveOut: (seq) =>
      connection.transaction(async (db) => {
        const left = await removeItems(db, 'seq = $1', [seq]);
        await db.query('update report_state set dropped = dropped + $1', [left]);
      }),
    resend: (last) => connection.transaction((db) => resend(db, last)),
    separate: (refused, id, secret) =>
      connection.transaction(async (db) => {
        const changed = await db.query(
          `update report_state set reporter_id = $1, secret = $2, is_registered = 0, previous_id = null, previous_secret = null,
             token = null, next_token = null where reporter_id = $3 and ($4 is null or next_token = $4) returning id`,
          [id, secret, refused.id, refused.next],
        );
        if (changed.length > 0) await resend(db, 0);
      }),
    async state() {
      const { waiting_items: items, waiting_bytes: bytes, dropped } = (await stateOf(connection)) ?? nothing;
      return { items, bytes, dropped };
    },
    async isEmpty() {
      const state = await stateOf(connection);
      return state === null || (state.waiting_items === 0 && !(await isBehind(connection, state)));
    },
  };
}

/** Differs after each write to the file, by any process. */
async function placeOf(connection: Connection): Promise<string> {
  const [own] = await connection.query<{ rows: number }>('select total_changes() as rows');
  return `${connection.dataVersion()} ${own?.rows}`;
}

const nothing = { waiting_items: 0, waiting_bytes: 0, dropped: 0 };

async function stateOf({ query }: Database): Promise<State | null> {
  return (await query<State>('select * from report_state where id = 1'))[0] ?? null;
}

async function isBehind({ query }: Database, { events_seq: seq }: State): Promise<boolean> {
  return (await query(isBehindText, [seq])).length > 0;
}

async function hold(db: Database, wish: Parameters<OutboxStore['hold']>[0]): Promise<OutboxIdentity | null> {
  const now = await clockOf(db);
  const state = (await stateOf(db)) ?? (await begin(db, wish));
  const holder = readOwner(state.holder);
  const isHeld = holder !== null && state.holder_until > now && holder.id !== wish.owner.id && !wish.isGone(holder);
  if (isHeld) return null;
  if (holder?.id !== wish.owner.id) await forgetDeleted(db);
  await db.query('update report_state set holder = $1, holder_until = $2', [jsonText(wish.owner), now + wish.holdMs]);
  return identityOf(state.name === wish.name && state.version === wish.version ? state : await renew(db, state, wish));
}

function identityOf(state: State): OutboxIdentity {
  const { previous_id: id, previous_secret: secret } = state;
  const previous = id === null || secret === null ? null : { id, secret };
  return { id: state.reporter_id, secret: state.secret, confirmed: state.confirmed, previous };
}

async function tokensOf(db: Database, makeToken: () => string): Promise<OutboxTokens> {
  const { token, next_token: begun, sent_seq: sent } = (await stateOf(db)) ?? { token: null, next_token: null, sent_seq: 0 };
  const next = begun ?? makeToken();
  if (begun === null) await db.query('update report_state set next_token = $1', [next]);
  return { token, next, isNew: begun === null, sent };
}

/** What was recorded before is not reported, except runs that change from now on. */
async function begin(db: Database, { name, version, makeId, makeSecret }: Parameters<OutboxStore['hold']>[0]): Promise<State> {
  await db.query(
    `insert into report_state (id, reporter_id, secret, name, version, is_registered, events_seq, tasks_seq, confirmed, waiting_items, waiting_bytes, dropped, holder_until)
     select 1, $1, $2, $3, $4, 0, coalesce(max(seq), 0), (select coalesce(max(seq), 0) from task_runs), 0, 0, 0, 0, 0 from run_events`,
    [makeId(), makeSecret(), name, version],
  );
  return (await stateOf(db)) as State;
}

/** A new id. One never registered leaves nothing to continue from. */
async function renew(
  db: Database,
  state: State,
  { name, version, makeId, makeSecret }: Parameters<OutboxStore['hold']>[0],
): Promise<State> {
  const isKnown = state.is_registered === 1;
  await db.query(
    `update report_state set reporter_id = $1, secret = $2, name = $3, version = $4, is_registered = 0, previous_id = $5, previous_secret = $6`,
    [
      ...[makeId(), makeSecret(), name, version],
      ...(isKnown ? [state.reporter_id, state.secret] : [state.previous_id, state.previous_secret]),
    ],
  );
  return (await stateOf(db)) as State;
}

/** Runs that have ended, and deleted ones, once all of them was captured. */
async function stopFollowing(db: Database): Promise<void> {
  const now = await clockOf(db);
  const closed = await db.query<{ run_id: string }>(
    `update report_runs set is_open = 0 where is_open = 1
       and not exists (select 1 from runs where runs.id = report_runs.run_id and (state_type not in (${terminalList}) or ended_at > $1))
     returning run_id`,
    [now - followedMs],
  );
  if (closed.length === 0) return;
  const ids = listOf(closed.map(({ run_id: id }) => id));
  for (const table of ['report_artifacts', 'report_tasks']) await db.query(`delete from ${table} where run_id in ${listed(db, 1)}`, [ids]);
}

async function forgetDeleted(db: Database): Promise<void> {
  await db.query('delete from report_runs where is_open = 0 and not exists (select 1 from runs where runs.id = report_runs.run_id)');
}

async function nextItems({ query }: Database, maxItems: number, maxBytes: number): Promise<readonly WaitingItem[]> {
  const sizes = await query<{ seq: number; bytes: number }>('select seq, bytes from report_items order by seq limit $1', [maxItems]);
  let bytes = 0;
  const fitting = sizes.filter((item, at) => (bytes += item.bytes) <= maxBytes || at === 0);
  const last = fitting.at(-1);
  if (last === undefined) return [];
  return await query<WaitingItem & Record<string, unknown>>('select seq, kind, body from report_items where seq <= $1 order by seq', [
    last.seq,
  ]);
}

/** Removes items by a condition and from the totals. Returns how many. */
async function removeItems(db: Database, where: string, params: readonly number[]): Promise<number> {
  const removed = await db.query<{ bytes: number }>(`delete from report_items where ${where} returning bytes`, params);
  await db.query('update report_state set waiting_items = waiting_items - $1, waiting_bytes = waiting_bytes - $2', [
    removed.length,
    removed.reduce((sum, { bytes }) => sum + bytes, 0),
  ]);
  return removed.length;
}

async function makeRoom(db: Database, maxBytes: number): Promise<void> {
  const waiting = async (): Promise<number> => (await stateOf(db))?.waiting_bytes ?? 0;
  if ((await waiting()) <= maxBytes) return;
  const enough = maxBytes * roomShare;
  let dropped = 0;
  for (let left = await waiting(); left > enough; left = await waiting()) {
    const logs = await db.query<{ seq: number; bytes: number }>(
      `select seq, bytes from report_items where kind = 'log' order by seq limit ${roomRows}`,
    );
    if (logs.length === 0) break;
    let freed = 0;
    const oldest = logs.filter(({ bytes }, at) => at === 0 || (freed += bytes) < left - enough);
    dropped += await removeItems(db, `kind = 'log' and seq <= $1`, [oldest.at(-1)?.seq ?? 0]);
  }
  if ((await waiting()) > enough) dropped += await emptyArtifacts(db, (await waiting()) - enough);
  await db.query('update report_state set dropped = dropped + $1', [dropped]);
}

/** Leaves out the data of the oldest artifacts: that they existed is still reported. */
async function emptyArtifacts(db: Database, bytes: number): Promise<number> {
  let [freed, emptied] = [0, 0];
  const smallest = 1_024;
  while (freed < bytes) {
    const [row] = await db.query<{ seq: number; bytes: number; body: string }>(
      `select seq, bytes, body from report_items where kind = 'artifact' and bytes > ${smallest} order by seq limit 1`,
    );
    if (row === undefined) break;
    const data = `This artifact (${row.bytes} bytes) was left out, because too much data was waiting to be reported.`;
    const body = jsonText({ ...readJson<object>(row.body), kind: 'markdown', data });
    const size = Buffer.byteLength(body);
    await db.query('update report_items set body = $1, bytes = $2 where seq = $3', [body, size, row.seq]);
    await db.query('update report_state set waiting_bytes = waiting_bytes - $1', [row.bytes - size]);
    freed += row.bytes - size;
    emptied += 1;
  }
  return emptied;
}

async function resend(db: Database, last: number): Promise<void> {
  await db.query('update report_runs set is_open = 1 where run_id in (select run_id from report_items)');
  await removeItems(db, 'run_id in (select run_id from report_runs where is_open = 1)', []);
  await db.query('delete from report_artifacts where run_id in (select run_id from report_runs where is_open = 1)');
  await db.query('update report_runs set transition_seq = 0, log_seq = 0 where is_open = 1');
  await db.query('update report_state set confirmed = $1', [last]);
}
