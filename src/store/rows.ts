/** Between the rows of the tables and the data of the model. Pure. */
import type { Selectable } from 'kysely';
import type { DeclaredConcurrency } from '../model/flow.ts';
import type { Failure } from '../model/failure.ts';
import type { Artifact, LogLine, Owner, Run, RunPatch, TaskRun, Transition } from '../model/run.ts';
import type { NewRun, StoredFlow, StoredLogLine } from './store.ts';
import type { ArtifactTable, FlowTable, LogTable, RunTable, TaskRunTable, TransitionTable } from './tables.ts';
import { jsonText } from './storable.ts';
import { readFields, readJson, readObjects, readTexts } from './read-json.ts';

/** What a column takes: neither dialect gets booleans, dates or objects. */
export type Value = string | number | null;

/** A row as a query gives it back. */
export type RunRow = Selectable<RunTable>;
export type TaskRunRow = Selectable<Omit<TaskRunTable, 'seq'>>;
export type TransitionRow = Selectable<Omit<TransitionTable, 'seq'>>;
export type LogRow = Selectable<LogTable>;

const text = (value: unknown): string | null => (value === null || value === undefined ? null : jsonText(value));

const unreadable: Failure = {
  name: 'Error',
  message: 'What was recorded of the error cannot be read.',
  code: null,
  stack: null,
  details: null,
  cause: null,
};

function failureOf(text: string | null): Failure | null {
  return text === null ? null : (readFields<Failure>(text) ?? unreadable);
}

export function runOf(row: RunRow): Run {
  return {
    id: row.id,
    flow: row.flow,
    flowVersion: row.flow_version,
    name: row.name,
    deployment: row.deployment,
    parentRunId: row.parent_run_id,
    parentTaskRunId: row.parent_task_run_id,
    state: { type: row.state_type, name: row.state_name, message: row.state_message },
    params: row.params,
    result: row.result,
    resultRef: row.result_ref,
    error: failureOf(row.error),
    attempt: row.attempt,
    recoveries: row.recoveries,
    tags: readTexts(row.tags),
    source: row.source,
    scheduledFor: row.scheduled_for,
    scheduleId: row.schedule_id,
    backfillId: row.backfill_id,
    concurrencyKey: row.concurrency_key,
    dueAt: row.due_at,
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    executedMs: row.executed_ms,
    resumedAt: row.resumed_at,
    mapped: readFields<Record<string, number>>(row.mapped),
    cancelRequestedAt: row.cancel_requested_at,
    queue: row.queue,
    priority: row.priority,
    epoch: row.epoch,
    owner: readFields<Owner>(row.owner),
    leaseUntil: row.lease_until,
  };
}

/** Values of a new run in the order of `runColumns`; owner null makes a run that waits (epoch 0). */
export function newRunValues(run: NewRun & RunPatch, owner: Owner | null, leaseUntil: number | null): Value[] {
  return [
    run.id,
    run.flow,
    run.flowVersion,
    run.name,
    run.deployment,
    run.parentRunId,
    run.parentTaskRunId,
    run.state.type,
    run.state.name,
    run.state.message,
    run.attempt,
    0,
    owner === null ? 0 : 1,
    text(owner),
    leaseUntil,
    run.scheduledFor,
    run.dueAt,
    run.createdAt,
    run.startedAt ?? null,
    run.endedAt ?? null,
    null,
    run.queue ?? 'default',
    run.priority ?? 0,
    run.scheduleId ?? null,
    run.backfillId ?? null,
    run.concurrencyKey ?? null,
    jsonText(run.tags),
    run.source,
    run.resultRef ?? null,
    run.params,
    run.result ?? null,
    text(run.error),
    run.executedMs ?? null,
    run.resumedAt ?? null,
    text(run.mapped),
  ];
}

/** What a patch writes: column and value, in a fixed order. */
export function patchValues(patch: RunPatch): [column: keyof RunTable, value: Value][] {
  const values: [keyof RunTable, Value][] = [];
  if (patch.state !== undefined) {
    values.push(['state_type', patch.state.type], ['state_name', patch.state.name], ['state_message', patch.state.message]);
  }
  if (patch.name !== undefined) values.push(['name', patch.name]);
  if (patch.flowVersion !== undefined) values.push(['flow_version', patch.flowVersion]);
  if (patch.attempt !== undefined) values.push(['attempt', patch.attempt]);
  if (patch.dueAt !== undefined) values.push(['due_at', patch.dueAt]);
  if (patch.startedAt !== undefined) values.push(['started_at', patch.startedAt]);
  if (patch.endedAt !== undefined) values.push(['ended_at', patch.endedAt]);
  if (patch.resultRef !== undefined) values.push(['result_ref', patch.resultRef]);
  if (patch.result !== undefined) values.push(['result', patch.result]);
  if (patch.error !== undefined) values.push(['error', text(patch.error)]);
  if (patch.executedMs !== undefined) values.push(['executed_ms', patch.executedMs]);
  if (patch.resumedAt !== undefined) values.push(['resumed_at', patch.resumedAt]);
  if (patch.mapped !== undefined) values.push(['mapped', text(patch.mapped)]);
  return values;
}

export function taskRunOf(row: TaskRunRow): TaskRun {
  return {
    id: row.id,
    runId: row.run_id,
    name: row.name,
    key: row.key,
    displayName: row.display_name,
    index: row.item_index,
    state: { type: row.state_type, name: row.state_name, message: row.state_message },
    attempt: row.attempt,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    dueAt: row.due_at,
    ...(row.failures === null ? null : { failures: row.failures }),
    dependsOn: row.depends_on === null ? null : readTexts(row.depends_on),
    progress: readFields(row.progress),
    metrics: readFields(row.metrics),
    result: row.result,
    resultRef: row.result_ref,
    error: failureOf(row.error),
    childRunId: row.child_run_id,
    itemHash: row.item_hash,
    callArgs: row.call_args === null ? null : readObjects(row.call_args),
  };
}

/** Values in the order of `taskRunColumns`. */
export function taskRunValues(row: TaskRun): Value[] {
  const values = commonTaskRunValues(row);
  values.push(
    row.displayName,
    row.state.message,
    row.dueAt,
    row.failures || null,
    row.childRunId,
    row.resultRef,
    text(row.dependsOn),
    text(row.progress),
    text(row.metrics),
    text(row.error),
    text(row.callArgs),
  );
  return values;
}

/** The first `commonTaskRunColumns` of them. */
export function commonTaskRunValues(row: TaskRun): Value[] {
  const { state } = row;
  const { id, runId, key, name, index, attempt, startedAt, endedAt, itemHash, result } = row;
  return [id, runId, key, name, index, state.type, state.name, attempt, startedAt, endedAt, itemHash, result];
}

/** Whether all columns behind the common ones are null, as they are for most task runs. */
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
    row.callArgs === null
  );
}

export function transitionOf(row: TransitionRow): Transition {
  return {
    runId: row.run_id,
    taskRunId: row.task_run_id,
    at: row.at,
    type: row.type,
    name: row.name,
    message: row.message,
    attempt: row.attempt,
    owner: row.owner,
  };
}

/** Values in the order of `transitionColumns`. */
export function transitionValues(row: Transition): Value[] {
  return [row.runId, row.taskRunId, row.at, row.type, row.name, row.attempt, row.owner, row.message];
}

export function logOf(row: LogRow): StoredLogLine {
  return {
    runId: row.run_id,
    taskRunId: row.task_run_id,
    at: row.at,
    level: row.level,
    message: row.message,
    fields: readFields(row.fields),
    seq: row.seq,
  };
}

/** Values in the order of `logColumns`. */
export function logValues(line: LogLine): Value[] {
  return [line.runId, line.taskRunId, line.at, line.level, line.message, text(line.fields)];
}

export function artifactOf(row: Selectable<ArtifactTable>): Artifact {
  return {
    id: row.id,
    runId: row.run_id,
    taskRunId: row.task_run_id,
    kind: row.kind as Artifact['kind'],
    name: row.name,
    data: readJson(row.data),
    createdAt: row.created_at,
  };
}

/** Values in the order of `artifactColumns`. */
export function artifactValues(artifact: Artifact): Value[] {
  const { id, runId, taskRunId, kind, name, createdAt, data } = artifact;
  return [id, runId, taskRunId, kind, name, createdAt, jsonText(data)];
}

export function flowOf(row: Selectable<FlowTable>): StoredFlow {
  return {
    name: row.name,
    version: row.version,
    description: row.description,
    tags: readTexts(row.tags),
    kind: row.kind as StoredFlow['kind'],
    graph: readJson(row.graph),
    concurrency: readFields<DeclaredConcurrency>(row.concurrency),
    paramsSchema: readJson(row.params_schema),
    source: row.source,
    updatedAt: row.updated_at,
  };
}
