/**
 * What a batch of a reporter changes here, in one transaction: the number of the reporter moves on with the rows, so a batch whose answer
 * was lost is skipped when it arrives again.
 *
 * Reported runs are ordinary rows whose owner is the reporter, forever, under a lease that does not end: no worker claims them, and nobody
 * considers them lost.
 */
import { type RefusedItem, ownerOfReport } from '../../model/report.ts';
import { elsewhereRef } from '../../model/result-ref.ts';
import type { Connection, Database } from '../connection.ts';
import { flowTable } from '../flows.ts';
import { markStale } from '../figures/sums.ts';
import { addTransitions } from '../runs/transitions.ts';
import { clockOf, listOf } from '../sql.ts';
import { jsonText } from '../storable.ts';
import { describeTable, insertListed, integer, replacedBy, text, time, type Value } from '../table.ts';
import { artifactTable, artifactValues, logTable, logValues, replacedWholeTaskRun, runTable, taskRunTable } from '../tables.ts';
import type { BatchOutcome, ReportBatch, ReportStore } from './contract.ts';
import { findReporter, listReporters, register } from './reporters.ts';
import { type SortedItems, sortItems } from './sort-items.ts';

/** 9999-12-31: the lease of a reported run. */
const neverEnds = 253_402_214_400_000;

const reportedRunTable = describeTable('reported_runs', {
  run_id: text,
  family: text,
  reporter_id: text,
  transition_mark: integer,
  log_mark: integer,
  at: time,
});

/** Progress is updated; anything else that arrives again, or under another's id, changes nothing. */
const replacedProgress = `on conflict (id) do update set data = excluded.data
  where artifacts.kind = 'progress' and excluded.kind = 'progress' and artifacts.run_id = excluded.run_id`;

/** What never changes of a reported run. */
const fixed = [
  'id',
  'deployment',
  'parent_run_id',
  'parent_task_run_id',
  'epoch',
  'created_at',
  'tags',
  'source',
  'schedule_id',
  'backfill_id',
];
const fixedToo = ['concurrency_key', 'cancel_requested_at', 'lease_until'];

/** See `ReportStore.apply`. */
export async function applyBatch(connection: Connection, batch: ReportBatch): Promise<BatchOutcome> {
  return await connection.transaction(async (db) => {
    const reporter = await findReporter(db, batch.reporterId, batch.secret);
    if (reporter === null || reporter.token !== batch.token) return { ok: false, reason: 'unknown', last: 0 };
    const { last_seq: before, family } = reporter;
    if (reporter.replaced_by !== null) return { ok: false, reason: 'replaced', last: before };
    if (batch.after > before) return { ok: false, reason: 'gap', last: before };
    const isNew = ({ seq }: { readonly seq: number }): boolean => seq > before;
    const sorted = await sortItems(db, { reporterId: reporter.id, family }, batch.items.filter(isNew));
    const at = await clockOf(db);
    await writeItems(db, sorted, { reporterId: reporter.id, family, at });
    const refused = [...batch.refused.filter(isNew), ...sorted.refused];
    const last = Math.max(before, batch.items.at(-1)?.seq ?? 0, batch.refused.at(-1)?.seq ?? 0);
    await moveOn(db, batch, { last, at, refused });
    return { ok: true, last, refused };
  });
}

async function moveOn(
  db: Database,
  { reporterId, note }: ReportBatch,
  { last, at, refused }: { readonly last: number; readonly at: number; readonly refused: readonly RefusedItem[] },
): Promise<void> {
  const { waitingItems, waitingBytes, dropped, isStopping } = note;
  await db.query(
    `update reporters set last_seq = $2, beat_at = $3, stopped_at = $4, waiting_items = $5, waiting_bytes = $6, dropped = $7,
       refused = refused + $8 where id = $1`,
    [reporterId, last, at, isStopping ? at : null, waitingItems, waitingBytes, dropped, refused.length],
  );
}

interface By {
  readonly reporterId: string;
  readonly family: string;
  readonly at: number;
}

async function writeItems(db: Database, items: SortedItems, by: By): Promise<void> {
  await writeFlows(db, items, by);
  await writeRuns(db, items, by);
  await put(
    db,
    `${insertListed(taskRunTable, db.fragments, 1)} on conflict (run_id, key) do update set ${replacedWholeTaskRun}`,
    taskRunRows(items),
  );
  await addTransitions(db, items.transitions);
  await put(db, insertListed(logTable, db.fragments, 1), items.logs.map(logValues));
  await put(db, `${insertListed(artifactTable, db.fragments, 1)} ${replacedProgress}`, [...items.artifacts.values()].map(artifactValues));
  const marks = [...items.marks].map(([runId, { transition, log }]) =>
    reportedRunTable.values({ runId, family: by.family, reporterId: by.reporterId, transitionMark: transition, logMark: log, at: by.at }),
  );
  await put(
    db,
    `${insertListed(reportedRunTable, db.fragments, 1)} on conflict (run_id) do update set ${replacedBy(reportedRunTable, 'run_id', 'family')}`,
    marks,
  );
}

async function put(db: Database, statement: string, rows: readonly Value[][]): Promise<void> {
  if (rows.length > 0) await db.query(statement, [jsonText(rows)]);
}

/** A flow that is known here stays as it is, except one from the same reporter. */
async function writeFlows(db: Database, { flows }: SortedItems, { family }: By): Promise<void> {
  const rows = [...flows.values()].map((flow) =>
    flowTable.values({ ...flow, paramsSchema: null, concurrency: null, rateLimit: null, source: `reporter:${family}` }),
  );
  await put(
    db,
    `${insertListed(flowTable, db.fragments, 1)} on conflict (name) do update set ${replacedBy(flowTable, 'name')} where flows.source = excluded.source`,
    rows,
  );
}

async function writeRuns(db: Database, { runs }: SortedItems, { reporterId }: By): Promise<void> {
  if (runs.size === 0) return;
  const ids = listOf([...runs.keys()]);
  // Ends in hours already summed up, before and after the change.
  await markStale(db, ids);
  const rows = [...runs.values()].map(({ keptBytes, ranBy, ...run }) =>
    runTable.values({
      ...run,
      resultRef: keptBytes === null ? null : elsewhereRef(run.id, keptBytes),
      owner: ownerOfReport(reporterId, ranBy),
      leaseUntil: neverEnds,
      epoch: 1,
    }),
  );
  const replaced = replacedBy(runTable, ...fixed, ...fixedToo);
  await put(db, `${insertListed(runTable, db.fragments, 1)} on conflict (id) do update set ${replaced}`, rows);
  await markStale(db, ids);
}

function taskRunRows({ tasks }: SortedItems): Value[][] {
  return [...tasks.values()].map(({ keptBytes, ...task }) =>
    taskRunTable.values({ ...task, resultRef: keptBytes === null ? null : elsewhereRef(task.id, keptBytes) }),
  );
}

export function reportStore(connection: Connection): ReportStore {
  return {
    register: (card) => connection.transaction((db) => register(db, card)),
    apply: (batch) => applyBatch(connection, batch),
    list: () => listReporters(connection),
  };
}
