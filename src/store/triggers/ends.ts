/**
 * Ends of runs, read by numbers, each at least once: by triggers, and by whoever else needs all of them.
 *
 * How far a reader has read is a row. On SQLite writers come one after another, so what was read is settled. On PostgreSQL a number is
 * assigned when a row is written, and the row is visible once its transaction ends, so lower numbers may appear after higher ones: what was
 * read is marked with the next transaction expected then, and once every transaction before that has ended it is read again, and settled.
 * So each end is read twice there, and a reader recognizes those it has had by their numbers. Nothing is written as runs end.
 */
import type { StateName, StateType } from '../../model/state.ts';
import type { Connection, Database } from '../connection.ts';
import { readTexts } from '../read-json.ts';
import { clockOf, isNotReported, listed, listOf, terminalList } from '../sql.ts';
import type { EndPage, EndPlace, EndWish, RunEnd } from './contract.ts';

/** A number is taken a moment before its writer is visible; marks younger than this wait, ms. */
const settleMs = 1_000;
/** A writer that takes longer than this is not waited for, ms. */
const longestWriterMs = 60_000;

interface PlaceRow {
  readonly settled: number;
  readonly read_to: number;
  readonly mark: number | null;
  readonly mark_next: number | null;
  readonly mark_at: number | null;
}

interface EndRow {
  readonly seq: number;
  readonly at: number;
  readonly type: StateType;
  readonly name: StateName;
  readonly message: string | null;
  readonly attempt: number;
  readonly run_id: string;
  readonly run_name: string;
  readonly flow: string;
  readonly deployment: string | null;
  readonly tags: string;
  readonly backfill_id: string | null;
}

const tables = {
  sqlite: {
    changes: 'run_events',
    joined: `run_events as change join transitions on transitions.run_id = change.run_id and transitions.seq = change.transition_seq`,
    only: '1 = 1',
  },
  postgres: { changes: 'transitions', joined: 'transitions as change', only: 'change.task_run_id is null' },
};

/** The place of a reader; a new reader begins at the newest. */
export async function endPlace(db: Database, reader: string, lock = ''): Promise<EndPlace> {
  const [row] = await db.query<PlaceRow>(`select settled, read_to, mark, mark_next, mark_at from end_places where reader = $1 ${lock}`, [
    reader,
  ]);
  if (row === undefined) {
    const newest = await newestChange(db);
    return { settled: newest, readTo: newest, mark: null, markNext: null, markAt: null };
  }
  return { settled: row.settled, readTo: row.read_to, mark: row.mark, markNext: row.mark_next, markAt: row.mark_at };
}

/** Inside a transaction that decides about what was read. */
export async function moveEndPlace(db: Database, reader: string, { settled, readTo, mark, markNext, markAt }: EndPlace): Promise<void> {
  await db.query(
    `insert into end_places (reader, settled, read_to, mark, mark_next, mark_at) values ($1, $2, $3, $4, $5, $6)
     on conflict (reader) do update set settled = excluded.settled, read_to = excluded.read_to, mark = excluded.mark,
       mark_next = excluded.mark_next, mark_at = excluded.mark_at`,
    [reader, settled, readTo, mark, markNext, markAt],
  );
}

/** The highest number of a change of a run; 0 for none. */
export async function newestChange({ dialect, query }: Database): Promise<number> {
  const table = dialect === 'sqlite' ? 'run_events' : 'transitions where task_run_id is null';
  const [row] = await query<{ seq: number | null }>(`select max(seq) as seq from ${table}`);
  return row?.seq ?? 0;
}

/** See `TriggerStore.ends`. */
export async function readEnds(connection: Connection, reader: string, wish: EndWish, changes: number): Promise<EndPage> {
  const place = await endPlace(connection, reader);
  // The running writers are queried before the rows.
  const writers = await writersOf(connection);
  const now = await clockOf(connection);
  const again = await readAgain(connection, place, { wish, changes, oldest: writers?.oldest ?? 0, now });
  const last = await lastOfPage(connection, place.readTo, Number.MAX_SAFE_INTEGER, changes);
  const fresh = last === null ? [] : await endsBetween(connection, place.readTo, last.seq, wish);
  const readTo = last?.seq ?? place.readTo;
  const ends = [...again.ends, ...fresh];
  const hasMore = again.hasMore || last?.isFull === true;
  if (writers === null) return { place, next: { ...place, settled: readTo, readTo }, ends, hasMore };
  const { settled, mark, markNext, markAt } = again.next;
  const marked = mark === null && readTo > settled ? await newMark(connection, readTo, now) : { mark, markNext, markAt };
  return { place, next: { settled, readTo, ...marked }, ends, hasMore };
}

/** What was read before the mark, once nothing can appear below it any more. */
async function readAgain(
  connection: Connection,
  place: EndPlace,
  { wish, changes, oldest, now }: { readonly wish: EndWish; readonly changes: number; readonly oldest: number; readonly now: number },
): Promise<{ readonly ends: readonly RunEnd[]; readonly next: EndPlace; readonly hasMore: boolean }> {
  const { mark, markNext, markAt, settled } = place;
  if (mark === null || markNext === null || markAt === null) return { ends: [], next: place, hasMore: false };
  if (now - markAt < (markNext <= oldest ? settleMs : longestWriterMs)) return { ends: [], next: place, hasMore: false };
  const last = await lastOfPage(connection, settled, mark, changes);
  const upTo = last?.isFull === true ? last.seq : mark;
  const ends = await endsBetween(connection, settled, upTo, wish);
  const cleared = upTo >= mark ? { mark: null, markNext: null, markAt: null } : {};
  return { ends, next: { ...place, settled: upTo, ...cleared }, hasMore: upTo < mark };
}

async function newMark(connection: Connection, seq: number, now: number): Promise<Pick<EndPlace, 'mark' | 'markNext' | 'markAt'>> {
  return { mark: seq, markNext: (await writersOf(connection))?.next ?? 0, markAt: now };
}

/** The oldest running transaction and the next one to come; null if writers come one after another. */
async function writersOf({ dialect, query }: Database): Promise<{ readonly oldest: number; readonly next: number } | null> {
  if (dialect === 'sqlite') return null;
  const [row] = await query<{ oldest: number; next: number }>(
    `select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as oldest, pg_snapshot_xmax(pg_current_snapshot())::text::bigint as next`,
  );
  return row ?? { oldest: 0, next: 0 };
}

async function lastOfPage(
  { dialect, query }: Connection,
  after: number,
  upTo: number,
  rows: number,
): Promise<{ readonly seq: number; readonly isFull: boolean } | null> {
  const { changes, only } = tables[dialect];
  const [row] = await query<{ seq: number | null; count: number }>(
    `select max(seq) as seq, count(*) as count from (
       select change.seq from ${changes} as change where ${only} and change.seq > $1 and change.seq <= $2 order by change.seq limit $3) as page`,
    [after, upTo, rows],
  );
  return row?.seq === null || row === undefined ? null : { seq: row.seq, isFull: Number(row.count) === rows };
}

async function endsBetween(connection: Connection, after: number, upTo: number, wish: EndWish): Promise<readonly RunEnd[]> {
  if (after >= upTo || (!wish.all && wish.deployments.length === 0 && wish.flows.length === 0)) return [];
  const { dialect, query } = connection;
  const { joined, only } = tables[dialect];
  const state = dialect === 'sqlite' ? 'transitions' : 'change';
  const rows = await query<EndRow>(
    `select change.seq, ${state}.at, ${state}.type, ${state}.name, ${state}.message, ${state}.attempt, runs.id as run_id, runs.name as run_name,
       runs.flow, runs.deployment, runs.tags, runs.backfill_id
     from ${joined} join runs on runs.id = change.run_id
     where ${only} and change.seq > $1 and change.seq <= $2 and ${state}.type in (${terminalList}) and ${state}.name <> 'Skipped' and ${isNotReported()}
       and ($3 = 1 or runs.deployment in ${listed(connection, 4)} or runs.flow in ${listed(connection, 5)})
     order by change.seq`,
    [after, upTo, wish.all ? 1 : 0, listOf(wish.deployments), listOf(wish.flows)],
  );
  return rows.map((row) => ({
    seq: row.seq,
    at: row.at,
    runId: row.run_id,
    runName: row.run_name,
    flow: row.flow,
    deployment: row.deployment,
    tags: readTexts(row.tags),
    attempt: row.attempt,
    state: { type: row.type, name: row.name, message: row.message },
    backfillId: row.backfill_id,
  }));
}
