/** Who reports to this database. */
import { hashSecret, isSameSecret } from '../../base/secret.ts';
import { ownerOfReport, type Registered, type ReporterCard } from '../../model/report.ts';
import type { Connection, Database } from '../connection.ts';
import { readOwner } from '../read-json.ts';
import { clockOf, forUpdate, listed, listOf, openList, runsBy } from '../sql.ts';
import { jsonText } from '../storable.ts';
import { describeTable, insertText, integer, integerOrNull, type RowOf, text, textOrNull, time, timeOrNull } from '../table.ts';
import type { StoredReporter } from './contract.ts';

const dayMs = 86_400_000;
/** How long a silent reporter stays listed, and a deleted reported run is remembered, ms. */
const reporterKeptMs = 30 * dayMs;
const deletedKeptMs = 60 * dayMs;

const reporterTable = describeTable('reporters', {
  id: text,
  family: text,
  secret_hash: text,
  name: text,
  version: text,
  batuta: text,
  host: text,
  pid: integer,
  started_at: time,
  registered_at: time,
  beat_at: time,
  last_seq: integer,
  stopped_at: timeOrNull,
  replaced_by: textOrNull,
  waiting_items: integer,
  waiting_bytes: integer,
  dropped: integer,
  refused: integerOrNull,
  token: textOrNull,
});
type ReporterRow = RowOf<typeof reporterTable>;

/** Inside a transaction: the reporter, locked; null if the id is unknown or the secret differs. */
export async function findReporter(db: Database, id: string, secret: string): Promise<ReporterRow | null> {
  const [row] = await db.query<ReporterRow>(`select ${reporterTable.list} from reporters where id = $1 ${forUpdate(db)}`, [id]);
  return row !== undefined && isSameSecret(row.secret_hash, hashSecret(secret)) ? row : null;
}

/** Inside a transaction: see `ReportStore.register`. */
export async function register(db: Database, card: ReporterCard): Promise<Registered | null> {
  const at = await clockOf(db);
  const known = await findReporter(db, card.id, card.secret);
  if (known !== null) {
    if (!isItself(known, card)) return null;
    await db.query(
      'update reporters set host = $2, pid = $3, batuta = $4, started_at = $5, beat_at = $6, stopped_at = null, token = $7 where id = $1',
      [card.id, card.host, card.pid, card.batuta, card.startedAt, at, card.nextToken],
    );
    return { last: known.last_seq, isNew: false };
  }
  const [taken] = await db.query('select id from reporters where id = $1', [card.id]);
  if (taken !== undefined) return null;
  await forgetOld(db, at);
  const before = await findBefore(db, card);
  // Nothing of an unknown one is here, whatever a lost database confirmed to it.
  const last = before?.last_seq ?? 0;
  await db.query(
    insertText(reporterTable),
    reporterTable.values({
      ...{ id: card.id, family: before?.family ?? card.id, secretHash: hashSecret(card.secret), name: card.name, version: card.version },
      ...{ batuta: card.batuta, host: card.host, pid: card.pid, startedAt: card.startedAt, registeredAt: at, beatAt: at, lastSeq: last },
      ...{ waitingItems: 0, waitingBytes: 0, dropped: 0, refused: 0 },
      token: card.nextToken,
    }),
  );
  if (before !== null) await takeOver(db, before, card);
  return { last, isNew: before === null };
}

/**
 * Whether it is the store that registered last, not a copy or an earlier state of it: it shows that token, or the next one, whose answer
 * was lost; and nothing is here that it has not sent, because it would send something else under those numbers. One with more confirmed
 * than is here is believed: this database is an older one.
 */
function isItself({ token, last_seq: last }: ReporterRow, { confirmed, sent, ...card }: ReporterCard): boolean {
  if (confirmed > last) return true;
  return Math.max(confirmed, sent) >= last && (token === null || token === card.token || token === card.nextToken);
}

/** Who it was before its version changed, locked: the last in the line of its successors. */
async function findBefore(db: Database, card: ReporterCard): Promise<ReporterRow | null> {
  if (card.previous === null) return null;
  let before = await findReporter(db, card.previous.id, card.previous.secret);
  while (before !== null && before.replaced_by !== null) {
    const [next] = await db.query<ReporterRow>(`select ${reporterTable.list} from reporters where id = $1 ${forUpdate(db)}`, [
      before.replaced_by,
    ]);
    before = next ?? null;
  }
  return before !== null && isItself(before, card) ? before : null;
}

/** Open runs continue under the new version, the only one that can still report them. */
async function takeOver(db: Database, { id, family }: ReporterRow, card: ReporterCard): Promise<void> {
  await db.query('update reporters set replaced_by = $2 where id = $1', [id, card.id]);
  const open = await db.query<{ id: string }>(
    `select runs.id from reported_runs join runs on runs.id = reported_runs.run_id
     where reported_runs.family = $1 and runs.state_type in (${openList}) order by runs.id`,
    [family],
  );
  const ids = listOf(open.map((run) => run.id));
  await db.query(`update runs set owner = $2 where id in ${listed(db, 1)}`, [ids, jsonText(ownerOfReport(card.id, card))]);
  await db.query(`update reported_runs set reporter_id = $2 where run_id in ${listed(db, 1)}`, [ids, card.id]);
}

async function forgetOld(db: Database, at: number): Promise<void> {
  await db.query('delete from reported_runs where at < $1 and not exists (select 1 from runs where runs.id = reported_runs.run_id)', [
    at - deletedKeptMs,
  ]);
  await db.query(
    'delete from reporters where beat_at < $1 and not exists (select 1 from reported_runs where reported_runs.family = reporters.family)',
    [at - reporterKeptMs],
  );
}

/** See `ReportStore.list`. */
export async function listReporters(connection: Connection): Promise<StoredReporter[]> {
  const rows = await connection.query<ReporterRow & { readonly now: number }>(
    `select ${reporterTable.list}, ${connection.fragments.now(1)} as now from reporters order by name, registered_at desc, id`,
    [connection.now()],
  );
  const open = rows.length === 0 ? new Map<string, number>() : await openRuns(connection);
  return rows.map(({ now, ...row }) => {
    const { family: _family, secretHash: _hash, lastSeq: _last, token: _token, refused, ...reporter } = reporterTable.read(row);
    const silentMs = Math.max(0, now - row.beat_at);
    return { ...reporter, refused: refused ?? 0, silentMs, openRuns: open.get(row.id) ?? 0 };
  });
}

/** How many open runs each has. */
async function openRuns(connection: Connection): Promise<ReadonlyMap<string, number>> {
  const rows = await connection.query<{ owner: string; runs: number }>(
    `select owner, count(*) as runs from ${runsBy(connection, 'runs_owned')}
     where owner is not null and state_type in (${openList}) and owner like '{"id":"reporter:%' group by owner`,
  );
  const open = new Map<string, number>();
  for (const { owner, runs } of rows) {
    const id = readOwner(owner)?.reporter?.id;
    if (id !== undefined) open.set(id, (open.get(id) ?? 0) + Number(runs));
  }
  return open;
}
