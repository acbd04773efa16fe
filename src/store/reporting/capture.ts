/**
 * Captures what has changed in this store as items waiting to be reported (SQLite).
 *
 * Runs write nothing extra: their own rows are read from places on, which are kept in the same file. For runs themselves, that is the list
 * of their changes (`run_events`); for what belongs to a run, its own numbers, because those of log lines may be reused once runs are
 * deleted. A killed process leaves both the places and the items, or neither.
 */
import { maxReportedChars, type RanBy, type ReportedRun, type ReportedTaskRun, type ReportKind } from '../../model/report.ts';
import { parseRef } from '../../model/result-ref.ts';
import type { Database } from '../connection.ts';
import { flowTable } from '../flows.ts';
import { listed, listOf } from '../sql.ts';
import { jsonText } from '../storable.ts';
import type { Kinds } from '../table.ts';
import {
  artifactOf,
  type ArtifactRow,
  artifactTable,
  logTable,
  type LogRow,
  runOf,
  type RunRow,
  runTable,
  taskRunOf,
  type TaskRunRow,
  taskRunTable,
  transitionOf,
  type TransitionRow,
  transitionTable,
} from '../tables.ts';
import type { RowOf } from '../table.ts';

/** Most rows of each kind that one transaction captures. */
const maxRuns = 200;
const maxRows = 500;
const maxArtifacts = 50;
/** Most characters sent of a log line, and of the data of an artifact. */
const maxLineChars = 64 * 1024;
const maxArtifactChars = 256 * 1024;

const itemKinds: Kinds = { kind: 'text', run_id: 'text', bytes: 'integer', body: 'text' };

/** What one transaction captured. */
export interface Captured {
  readonly items: number;
  readonly bytes: number;
  readonly eventsSeq: number;
  readonly hasMore: boolean;
}

interface Event {
  readonly seq: number;
  readonly run_id: string;
}
type Numbered<Row> = Row & { readonly run_id: string; readonly seq: number };

/** What belongs to followed runs, beyond each run's places. */
const transitionsText = `from report_runs join transitions on transitions.run_id = report_runs.run_id and transitions.seq > report_runs.transition_seq
  where report_runs.is_open = 1`;
const logsText = `from report_runs join logs on logs.run_id = report_runs.run_id and logs.seq > report_runs.log_seq where report_runs.is_open = 1`;
const artifactsText = `from report_runs join artifacts on artifacts.run_id = report_runs.run_id
  left join report_artifacts on report_artifacts.run_id = artifacts.run_id and report_artifacts.id = artifacts.id
  where report_runs.is_open = 1 and (report_artifacts.id is null or (artifacts.kind = 'progress' and report_artifacts.seen is not artifacts.data))`;

/** Whether there is anything to capture; costs no lock. `$1` is the last captured change. */
export const isBehindText = `select 1 as behind where exists (select 1 from run_events where seq > $1)
  or exists (select 1 ${transitionsText}) or exists (select 1 ${logsText}) or exists (select 1 ${artifactsText})`;

/** Inside a transaction. @param eventsSeq the last captured change of a run */
export async function captureChanges(db: Database, eventsSeq: number, ranBy: RanBy): Promise<Captured> {
  const events = await db.query<Event>(`select seq, run_id from run_events where seq > $1 order by seq limit ${maxRuns}`, [eventsSeq]);
  await follow(db, events);
  await findTaskRuns(db);
  const transitions = await db.query<Numbered<TransitionRow>>(
    `select transitions.seq, ${qualified('transitions', transitionTable.columns)} ${transitionsText} order by report_runs.run_id, transitions.seq limit ${maxRows}`,
  );
  const logs = await db.query<LogRow>(
    `select logs.seq, ${cutLogColumns} ${logsText} order by report_runs.run_id, logs.seq limit ${maxRows}`,
  );
  const artifacts = await db.query<ArtifactRow & Seen & { readonly chars: number }>(
    `select ${cutArtifactColumns}, length(artifacts.data) as chars, case when artifacts.kind = 'progress' then artifacts.data end as seen
     ${artifactsText} order by artifacts.run_id, artifacts.created_at, artifacts.id limit ${maxArtifacts}`,
  );
  const out = new Items();
  const runIds = [...new Set([...events.map(({ run_id: id }) => id), ...transitions.map(({ run_id: id }) => id)])];
  await addRuns(db, out, runIds, ranBy);
  await addTaskRuns(db, out, transitions);
  for (const row of transitions) out.add('transition', row.run_id, { ...transitionOf(row), number: row.seq });
  for (const row of logs) out.add('log', row.run_id, { ...logTable.read(row), number: row.seq });
  for (const { chars, seen: _seen, ...row } of artifacts) out.add('artifact', row.run_id, wholeArtifact(row, chars));
  await moveOn(db, { transitions, logs, artifacts });
  await out.write(db);
  const isFull = [events.length >= maxRuns, transitions.length >= maxRows, logs.length >= maxRows, artifacts.length >= maxArtifacts];
  return { items: out.rows.length, bytes: out.bytes, eventsSeq: events.at(-1)?.seq ?? eventsSeq, hasMore: isFull.includes(true) };
}

/** Items in order, with their total size. */
class Items {
  readonly rows: [kind: ReportKind, runId: string, bytes: number, body: string][] = [];
  bytes = 0;

  add(kind: ReportKind, runId: string, data: unknown): void {
    const body = jsonText(data);
    const bytes = Buffer.byteLength(body);
    this.bytes += bytes;
    this.rows.push([kind, runId, bytes, body]);
  }

  async write(db: Database): Promise<void> {
    if (this.rows.length === 0) return;
    await db.query(
      `insert into report_items (kind, run_id, bytes, body) select kind, run_id, bytes, body from ${db.fragments.list(1, itemKinds)} as added`,
      [jsonText(this.rows)],
    );
  }
}

async function follow(db: Database, events: readonly Event[]): Promise<void> {
  if (events.length === 0) return;
  await db.query(
    `insert into report_runs (run_id, transition_seq, log_seq, is_open)
     select id, 0, 0, 1 from runs where id in ${listed(db, 1)} on conflict (run_id) do update set is_open = 1`,
    [listOf([...new Set(events.map(({ run_id: id }) => id))])],
  );
}

/** Flows first, so that a run can be drawn as soon as it arrives. */
async function addRuns(db: Database, out: Items, ids: readonly string[], ranBy: RanBy): Promise<void> {
  if (ids.length === 0) return;
  const rows = await db.query<RunRow & Cut>(
    `select ${cutValues('runs', runTable.columns, ['params', 'result'])} from runs where id in ${listed(db, 1)} order by created_at, id`,
    [listOf(ids)],
  );
  const flows = await db.query<RowOf<typeof flowTable>>(
    `select ${flowTable.list} from flows where name in ${listed(db, 1)} and (source is null or source not like 'reporter:%')`,
    [listOf([...new Set(rows.map(({ flow }) => flow))])],
  );
  for (const flow of flows.map(flowTable.read)) {
    const { name, version, description, tags, kind, graph, updatedAt } = flow;
    out.add('flow', '', { name, version, description, tags, kind, graph, updatedAt });
  }
  for (const row of rows) out.add('run', row.id, reportedRun(row, ranBy));
}

/** Records where newly recorded task runs are; their numbers may be reused once runs are deleted. */
async function findTaskRuns(db: Database): Promise<void> {
  await db.query(
    `insert into report_tasks (id, run_id, seq) select id, run_id, seq from task_runs
     where seq > (select tasks_seq from report_state) and run_id in (select run_id from report_runs where is_open = 1) on conflict (id) do nothing`,
  );
  await db.query('update report_state set tasks_seq = (select coalesce(max(seq), 0) from task_runs)');
}

async function addTaskRuns(db: Database, out: Items, transitions: readonly Numbered<TransitionRow>[]): Promise<void> {
  const ids = [...new Set(transitions.flatMap(({ task_run_id: id }) => id ?? []))];
  if (ids.length === 0) return;
  const columns = cutValues('task_runs', taskRunTable.columns, ['result']);
  const noted = await db.query<TaskRunRow & Cut>(
    `select ${columns} from report_tasks join task_runs on task_runs.seq = report_tasks.seq and task_runs.id = report_tasks.id
     where report_tasks.id in ${listed(db, 1)} order by task_runs.seq`,
    [listOf(ids)],
  );
  const found = new Set(noted.map(({ id }) => id));
  // Of a run that had begun before it was followed.
  const missing = ids.filter((id) => !found.has(id));
  const others =
    missing.length === 0
      ? []
      : await db.query<TaskRunRow & Cut>(
          `select ${columns} from task_runs where run_id in ${listed(db, 1)} and id in ${listed(db, 2)} order by seq`,
          [listOf([...new Set(transitions.map(({ run_id: id }) => id))]), listOf(missing)],
        );
  for (const row of [...others, ...noted]) {
    const { resultRef, ...task } = taskRunOf(row);
    out.add('task', row.run_id, { ...task, keptBytes: keptBytes(row.result_chars, resultRef) } satisfies ReportedTaskRun);
  }
}

function reportedRun(row: RunRow & Cut, ranBy: RanBy): ReportedRun {
  const { id, flow, flowVersion, name, parentRunId, parentTaskRunId, state, result, resultRef, error, attempt, ...run } = runOf(row);
  const { recoveries, tags, scheduledFor, dueAt, createdAt, startedAt, endedAt, executedMs, resumedAt, mapped, queue, priority } = run;
  return {
    ...{ id, flow, flowVersion, name, parentRunId, parentTaskRunId, state, result, error, attempt, recoveries, tags, scheduledFor },
    ...{ dueAt, createdAt, startedAt, endedAt, executedMs, resumedAt, mapped, queue, priority, ranBy },
    params: row.params ?? notSent(row.params_chars ?? 0),
    keptBytes: keptBytes(row.result_chars, resultRef),
  };
}

/** Lengths of values too long to be sent; null for others. */
interface Cut {
  readonly params_chars?: number | null;
  readonly result_chars?: number | null;
}

/** The columns, with overlong values replaced by null and their lengths added. */
function cutValues(table: string, columns: readonly string[], values: readonly string[]): string {
  const cut = (column: string): string =>
    `case when length(${table}.${column}) > ${maxReportedChars} then null else ${table}.${column} end as ${column},
     case when length(${table}.${column}) > ${maxReportedChars} then length(${table}.${column}) end as ${column}_chars`;
  return columns.map((column) => (values.includes(column) ? cut(column) : `${table}.${column}`)).join(', ');
}

function keptBytes(chars: number | null | undefined, resultRef: string | null): number | null {
  return resultRef === null ? (chars ?? null) : (parseRef(resultRef).bytes ?? 0);
}

/** Stands for parameters that are too long. */
function notSent(chars: number): string {
  return jsonText({ json: `(${chars} characters, kept where the run ran)` });
}

function wholeArtifact(row: ArtifactRow, chars: number): unknown {
  if (chars <= maxArtifactChars) {
    // The bytes of files stay where the run ran.
    const { ref: _ref, ...artifact } = artifactOf(row);
    return artifact;
  }
  const { id, run_id: runId, task_run_id: taskRunId, name, created_at: createdAt } = row;
  return {
    id,
    runId,
    taskRunId,
    name,
    createdAt,
    kind: 'markdown',
    data: `This ${row.kind} of ${chars} characters is kept where the run ran.`,
  };
}

const cutLogColumns = logTable.columns
  .map((column) =>
    column === 'message'
      ? `case when length(logs.message) > ${maxLineChars} then substr(logs.message, 1, ${maxLineChars}) || ' [cut]' else logs.message end as message`
      : column === 'fields'
        ? `case when length(logs.fields) > ${maxLineChars} then '{"cut":"fields of ' || length(logs.fields) || ' characters"}' else logs.fields end as fields`
        : `logs.${column}`,
  )
  .join(', ');
const cutArtifactColumns = artifactTable.columns
  .map((column) =>
    column === 'data'
      ? `case when length(artifacts.data) > ${maxArtifactChars} then 'null' else artifacts.data end as data`
      : `artifacts.${column}`,
  )
  .join(', ');

function qualified(table: string, columns: readonly string[]): string {
  return columns.map((column) => `${table}.${column}`).join(', ');
}

/** Data of what is rewritten as it progresses; null for others. */
interface Seen {
  readonly seen: string | null;
}

interface TakenOver {
  readonly transitions: readonly Numbered<TransitionRow>[];
  readonly logs: readonly LogRow[];
  readonly artifacts: readonly (ArtifactRow & Seen)[];
}

/** The rows are ordered by run and number, so the last of a run is its new place. */
async function moveOn(db: Database, { transitions, logs, artifacts }: TakenOver): Promise<void> {
  await movePlace(db, 'transition_seq', transitions);
  await movePlace(db, 'log_seq', logs);
  if (artifacts.length > 0) {
    await db.query(
      `insert into report_artifacts (run_id, id, seen)
       select run_id, id, seen from ${db.fragments.list(1, { run_id: 'text', id: 'text', seen: 'text' })} as added where true
       on conflict (run_id, id) do update set seen = excluded.seen`,
      [jsonText(artifacts.map(({ run_id: runId, id, seen }) => [runId, id, seen]))],
    );
  }
}

async function movePlace(
  db: Database,
  column: 'transition_seq' | 'log_seq',
  rows: readonly { readonly run_id: string; readonly seq: number }[],
): Promise<void> {
  const places = new Map(rows.map(({ run_id: id, seq }) => [id, seq]));
  if (places.size === 0) return;
  const list = db.fragments.list(1, { moved_id: 'text', moved_to: 'integer' });
  await db.query(`update report_runs set ${column} = moved_to from ${list} as moved where report_runs.run_id = moved.moved_id`, [
    jsonText([...places]),
  ]);
}
