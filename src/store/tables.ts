/** The tables of runs and what belongs to them; the same in both dialects. Ids are text. */
import type { CachedFrom } from '../model/cache.ts';
import type { Artifact, CallArg, LogLine, Owner, Run, RunPatch, TaskRun, Transition } from '../model/run.ts';
import type { ResourceUse } from '../model/resource-use.ts';
import { parseRef } from '../model/result-ref.ts';
import type { UsageScope } from '../model/task-usage.ts';
import type { State, StateName, StateType } from '../model/state.ts';
import { readFailure } from './read-failure.ts';
import { readFields, readJson, readNumbers, readObjects, readOwner, readProgress, readShaped, readTexts } from './read-json.ts';
import { jsonText } from './storable.ts';
import type { NewRun, StoredLogLine } from './store.ts';
import {
  type Column,
  type RowOf,
  type Value,
  describeTable,
  integer,
  integerOrNull,
  json,
  jsonOrNull,
  named,
  optional,
  otherwise,
  replacedBy,
  text,
  textOrNull,
  time,
  timeOrNull,
  word,
  wordOrNull,
} from './table.ts';

const failure = jsonOrNull(readFailure);
const numbers = jsonOrNull(readNumbers);

function ofState<Row extends Value>(field: keyof State): Column<Row, State, 'state'> {
  return { kind: 'text', property: 'state', field };
}

/** The three columns of a state. */
const state = {
  state_type: ofState<StateType>('type'),
  state_name: ofState<StateName>('name'),
  state_message: ofState<string | null>('message'),
};

/** Wide columns come last, so that reading the others need not walk over them. */
export const runTable = describeTable('runs', {
  id: text,
  flow: text,
  flow_version: text,
  name: text,
  deployment: textOrNull,
  parent_run_id: textOrNull,
  parent_task_run_id: textOrNull,
  ...state,
  attempt: integer,
  recoveries: otherwise(0, integer),
  epoch: otherwise(0, integer),
  owner: jsonOrNull(readOwner),
  lease_until: timeOrNull,
  scheduled_for: timeOrNull,
  due_at: timeOrNull,
  created_at: time,
  started_at: timeOrNull,
  ended_at: timeOrNull,
  cancel_requested_at: timeOrNull,
  queue: otherwise('default', text),
  priority: otherwise(0, integer),
  schedule_id: textOrNull,
  backfill_id: textOrNull,
  concurrency_key: textOrNull,
  slots: integerOrNull,
  fair_key: textOrNull,
  tags: json(readTexts),
  source: textOrNull,
  result_ref: textOrNull,
  params: text,
  result: textOrNull,
  error: failure,
  executed_ms: integerOrNull,
  resumed_at: timeOrNull,
  mapped: numbers,
});
export type RunRow = RowOf<typeof runTable>;
export const runOf: (row: RunRow) => Run = runTable.read;

/**
 * Values of a new run in the order of its columns; owner null makes a waiting run (epoch 0). Written out like `commonTaskRunValues`:
 * submitting thousands of runs spent a third of the time on the description.
 */
export function newRunValues(run: NewRun & RunPatch, owner: Owner | null, leaseUntil: number | null): Value[] {
  const { state } = run;
  return [
    ...[run.id, run.flow, run.flowVersion, run.name, run.deployment, run.parentRunId, run.parentTaskRunId],
    ...[state.type, state.name, state.message, run.attempt],
    ...[0, owner === null ? 0 : 1, owner === null ? null : jsonText(owner), leaseUntil],
    ...[run.scheduledFor, run.dueAt, run.createdAt, run.startedAt ?? null, run.endedAt ?? null, null],
    ...[
      run.queue ?? 'default',
      run.priority ?? 0,
      run.scheduleId ?? null,
      run.backfillId ?? null,
      run.concurrencyKey ?? null,
      run.slots ?? null,
      run.fairKey ?? null,
    ],
    ...[jsonText(run.tags), run.source, run.resultRef ?? null, run.params, run.result ?? null],
    run.error ? jsonText(run.error) : null,
    ...[run.executedMs ?? null, run.resumedAt ?? null, run.mapped ? jsonText(run.mapped) : null],
  ];
}

/** What the owner of a run may change. */
export const runPatchTable = runTable.part([
  'state_type',
  'state_name',
  'state_message',
  'name',
  'flow_version',
  'attempt',
  'due_at',
  'started_at',
  'ended_at',
  'result_ref',
  'result',
  'error',
  'executed_ms',
  'resumed_at',
  'mapped',
]);
export const patchValues: (patch: RunPatch) => [column: string, value: Value][] = runPatchTable.changes;

/** Without `seq`, the order in which task runs were first recorded: internal to the store. Columns after `result` are mostly null. */
export const taskRunTable = describeTable('task_runs', {
  id: text,
  run_id: text,
  key: text,
  name: text,
  item_index: named('index', integerOrNull),
  state_type: state.state_type,
  state_name: state.state_name,
  attempt: integer,
  started_at: timeOrNull,
  ended_at: timeOrNull,
  item_hash: textOrNull,
  result: textOrNull,
  display_name: textOrNull,
  state_message: state.state_message,
  due_at: timeOrNull,
  failures: optional(integerOrNull),
  child_run_id: textOrNull,
  result_ref: textOrNull,
  depends_on: jsonOrNull((value) => (value === null ? null : readTexts(value))),
  progress: jsonOrNull(readProgress),
  metrics: numbers,
  error: failure,
  call_args: jsonOrNull((value) => (value === null ? null : readObjects<CallArg>(value))),
  cached_from: optional(
    jsonOrNull((value) => readShaped<CachedFrom>(value, { runId: 'string', taskRunId: 'string', madeAt: 'number', entry: 'string' })),
  ),
  cpu_ms: optional(integerOrNull),
  peak_bytes: optional(integerOrNull),
  usage_scope: optional(wordOrNull<UsageScope>()),
});
export type TaskRunRow = RowOf<typeof taskRunTable>;
export const taskRunOf: (row: TaskRunRow) => TaskRun = taskRunTable.read;
export const taskRunValues: (row: TaskRun) => Value[] = taskRunTable.values;

const commonColumns = taskRunTable.columns.slice(0, taskRunTable.columns.indexOf('result') + 1);
/** Columns non-null for most task runs, which need half as many parameters. */
export const commonTaskRunTable = taskRunTable.part(commonColumns);

/**
 * What the tables would yield for these, written out: each task run passes here several times, and loops over the columns cost a fan-out a
 * tenth of its time. A test checks that both agree.
 */
export function commonTaskRunValues(row: TaskRun): Value[] {
  const { id, runId, key, name, index, state, attempt, startedAt, endedAt, itemHash, result } = row;
  return [id, runId, key, name, index, state.type, state.name, attempt, startedAt, endedAt, itemHash, result];
}

/** Whether all columns after the common ones are null. */
export function hasOnlyCommonValues(row: TaskRun): boolean {
  return (
    row.displayName === null &&
    row.state.message === null &&
    row.dueAt === null &&
    !row.failures &&
    row.childRunId === null &&
    row.resultRef === null &&
    row.dependsOn === null &&
    row.progress === null &&
    row.metrics === null &&
    row.error === null &&
    row.callArgs === null &&
    !row.cachedFrom &&
    !row.usageScope &&
    !row.cpuMs &&
    !row.peakBytes
  );
}

/** What may change of a task run, as an upsert sets it; with only common values, the last four are null before and after. */
export const replacedTaskRun = replacedBy(taskRunTable, 'id', 'run_id', 'key', 'cached_from', 'cpu_ms', 'peak_bytes', 'usage_scope');
export const replacedWholeTaskRun = replacedBy(taskRunTable, 'id', 'run_id', 'key');

/** Without `seq`, which grows within a run; SQLite counts it per run, PostgreSQL over all. */
export const transitionTable = describeTable('transitions', {
  run_id: text,
  task_run_id: textOrNull,
  at: time,
  type: word<StateType>(),
  name: word<StateName>(),
  attempt: integer,
  owner: textOrNull,
  message: textOrNull,
});
export type TransitionRow = RowOf<typeof transitionTable>;
export const transitionOf: (row: TransitionRow) => Transition = transitionTable.read;
/** As `commonTaskRunValues`. */
export function transitionValues(row: Transition): Value[] {
  return [row.runId, row.taskRunId, row.at, row.type, row.name, row.attempt, row.owner, row.message];
}

/** Without `seq`. */
export const logTable = describeTable('logs', {
  run_id: text,
  task_run_id: textOrNull,
  at: time,
  level: integer,
  message: text,
  fields: jsonOrNull(readFields<Record<string, unknown>>),
});
export type LogRow = RowOf<typeof logTable> & { readonly seq: number };
export const logOf = (row: LogRow): StoredLogLine => ({ ...logTable.read(row), seq: row.seq });
export const logValues: (line: LogLine) => Value[] = logTable.values;

export const artifactTable = describeTable('artifacts', {
  id: text,
  run_id: text,
  task_run_id: textOrNull,
  kind: word<Artifact['kind']>(),
  name: text,
  created_at: time,
  key: optional(textOrNull),
  ref: optional(textOrNull),
  bytes: optional(integerOrNull),
  sha256: optional(textOrNull),
  data: json(readJson<unknown>),
});
export type ArtifactRow = RowOf<typeof artifactTable>;
export const artifactOf: (row: ArtifactRow) => Artifact = artifactTable.read;
export const artifactValues: (artifact: Artifact) => Value[] = artifactTable.values;
/** Progress is rewritten under the same id as it advances. Anything else is the same content, sent again. */
export const replacedArtifact = `on conflict (id) do update set data = excluded.data where artifacts.kind = 'progress'`;

export const resourceUseTable = describeTable('resource_uses', {
  id: text,
  run_id: text,
  task_run_id: textOrNull,
  resource: text,
  scope: word<ResourceUse['scope']>(),
  began_at: time,
  opened_at: timeOrNull,
  closing_at: timeOrNull,
  closed_at: timeOrNull,
  error: textOrNull,
});
export type ResourceUseRow = RowOf<typeof resourceUseTable>;
export const resourceUseOf: (row: ResourceUseRow) => ResourceUse = resourceUseTable.read;
export const resourceUseValues: (use: ResourceUse) => Value[] = resourceUseTable.values;
/** What is rewritten as it progresses. */
export const replacedResourceUse = `on conflict (run_id, id) do update set ${replacedBy(resourceUseTable, 'id', 'run_id', 'task_run_id', 'resource', 'scope', 'began_at')}`;

/** Which runs reference which large values. `key` is the locator; `place` is null in older rows, as are size and hash. */
export const resultTable = describeTable('results', {
  run_id: text,
  key: text,
  task_run_id: textOrNull,
  bytes: integerOrNull,
  created_at: time,
  place: textOrNull,
  sha256: textOrNull,
});
/** @param ref what the row of the run or task run names */
export function resultValues(runId: string, ref: string, taskRunId: string | null, at: number): Value[] {
  const { locator, place, bytes, sha256 } = parseRef(ref);
  return [runId, locator, taskRunId, bytes, at, place, sha256];
}
