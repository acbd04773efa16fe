/**
 * The tables as Kysely sees them; the same in both dialects. Ids are text, times UTC epoch ms, structured values JSON text.
 *
 * Wide columns come last, so that a reader of the others need not walk over them.
 */
import type { Generated } from 'kysely';
import type { StateName, StateType } from '../model/state.ts';

export interface RunTable {
  id: string;
  flow: string;
  flow_version: string;
  name: string;
  deployment: string | null;
  parent_run_id: string | null;
  parent_task_run_id: string | null;
  state_type: StateType;
  state_name: StateName;
  state_message: string | null;
  attempt: number;
  recoveries: number;
  epoch: number;
  /** JSON of the `Owner`. */
  owner: string | null;
  lease_until: number | null;
  scheduled_for: number | null;
  due_at: number | null;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  cancel_requested_at: number | null;
  queue: string;
  priority: number;
  schedule_id: string | null;
  backfill_id: string | null;
  concurrency_key: string | null;
  /** JSON list of texts. */
  tags: string;
  source: string | null;
  result_ref: string | null;
  params: string;
  result: string | null;
  /** JSON of a `Failure`. */
  error: string | null;
  executed_ms: number | null;
  resumed_at: number | null;
  /** JSON: items by task. */
  mapped: string | null;
}

export interface TaskRunTable {
  /** Order in which they were first recorded; the store's own. */
  seq: Generated<number>;
  id: string;
  run_id: string;
  key: string;
  name: string;
  display_name: string | null;
  item_index: number | null;
  state_type: StateType;
  state_name: StateName;
  state_message: string | null;
  attempt: number;
  started_at: number | null;
  ended_at: number | null;
  due_at: number | null;
  failures: number | null;
  child_run_id: string | null;
  result_ref: string | null;
  depends_on: string | null;
  progress: string | null;
  metrics: string | null;
  item_hash: string | null;
  result: string | null;
  error: string | null;
  /** JSON list of `CallArg`. */
  call_args: string | null;
}

export interface TransitionTable {
  run_id: string;
  /** Grows within a run; SQLite counts it per run, PostgreSQL over all. */
  seq: Generated<number>;
  task_run_id: string | null;
  at: number;
  type: StateType;
  name: StateName;
  attempt: number;
  owner: string | null;
  message: string | null;
}

/** Which runs point at which values of the result storage. */
export interface ResultTable {
  run_id: string;
  key: string;
  task_run_id: string | null;
  /** Size of the value; null when the writer did not know it. */
  bytes: number | null;
  created_at: number;
}

export interface LogTable {
  seq: Generated<number>;
  run_id: string;
  task_run_id: string | null;
  at: number;
  level: number;
  message: string;
  fields: string | null;
}

export interface ArtifactTable {
  id: string;
  run_id: string;
  task_run_id: string | null;
  kind: string;
  name: string;
  created_at: number;
  data: string;
}

export interface FlowTable {
  name: string;
  version: string;
  description: string | null;
  tags: string;
  kind: string;
  source: string | null;
  updated_at: number;
  params_schema: string | null;
  graph: string | null;
  /** JSON of a `Concurrency`. */
  concurrency: string | null;
}

export interface DeploymentTable {
  id: string;
  name: string;
  flow: string;
  flow_version: string;
  source: string | null;
  version: number;
  description: string | null;
  /** JSON list of texts. */
  tags: string;
  queue: string;
  priority: number;
  /** JSON of a `Concurrency`. */
  concurrency: string | null;
  catchup: string;
  catchup_window_ms: number;
  overlap: string;
  retention_ms: number | null;
  run_name: string | null;
  paused_at: number | null;
  origin: string;
  created_at: number;
  updated_at: number;
  params: string;
}

export interface ScheduleTable {
  id: string;
  /** Name of the deployment. */
  deployment: string;
  slug: string;
  /** JSON of a `Schedule`. */
  schedule: string;
  params: string | null;
  jitter_ms: number;
  paused_at: number | null;
  next_tick_at: number | null;
  created_at: number;
  /** 1 when neither it nor its deployment is paused, else 0. */
  active: number;
  /** Why it was set aside. */
  fault: string | null;
}

export interface DeploymentVersionTable {
  deployment: string;
  version: number;
  flow_version: string;
  at: number;
  graph: string | null;
  spec: string;
}

export interface Tables {
  runs: RunTable;
  task_runs: TaskRunTable;
  transitions: TransitionTable;
  results: ResultTable;
  logs: LogTable;
  artifacts: ArtifactTable;
  flows: FlowTable;
  deployments: DeploymentTable;
  schedules: ScheduleTable;
  deployment_versions: DeploymentVersionTable;
}

/** Columns of `runs` in the order in which they are written and read. */
export const runColumns = [
  'id',
  'flow',
  'flow_version',
  'name',
  'deployment',
  'parent_run_id',
  'parent_task_run_id',
  'state_type',
  'state_name',
  'state_message',
  'attempt',
  'recoveries',
  'epoch',
  'owner',
  'lease_until',
  'scheduled_for',
  'due_at',
  'created_at',
  'started_at',
  'ended_at',
  'cancel_requested_at',
  'queue',
  'priority',
  'schedule_id',
  'backfill_id',
  'concurrency_key',
  'tags',
  'source',
  'result_ref',
  'params',
  'result',
  'error',
  'executed_ms',
  'resumed_at',
  'mapped',
] as const satisfies readonly (keyof RunTable)[];

/** Columns of `task_runs` without `seq`, in the order in which they are written and read; those after `result` are mostly null. */
export const taskRunColumns = [
  'id',
  'run_id',
  'key',
  'name',
  'item_index',
  'state_type',
  'state_name',
  'attempt',
  'started_at',
  'ended_at',
  'item_hash',
  'result',
  'display_name',
  'state_message',
  'due_at',
  'failures',
  'child_run_id',
  'result_ref',
  'depends_on',
  'progress',
  'metrics',
  'error',
  'call_args',
] as const satisfies readonly (keyof TaskRunTable)[];

/** How many of `taskRunColumns` come before those that are mostly null. */
export const commonTaskRunColumns = taskRunColumns.indexOf('result') + 1;

/** Columns of `transitions` without `seq`. */
export const transitionColumns = [
  'run_id',
  'task_run_id',
  'at',
  'type',
  'name',
  'attempt',
  'owner',
  'message',
] as const satisfies readonly (keyof TransitionTable)[];

/** Columns of `logs` without `seq`. */
export const logColumns = ['run_id', 'task_run_id', 'at', 'level', 'message', 'fields'] as const satisfies readonly (keyof LogTable)[];
export const artifactColumns = [
  'id',
  'run_id',
  'task_run_id',
  'kind',
  'name',
  'created_at',
  'data',
] as const satisfies readonly (keyof ArtifactTable)[];
export const resultColumns = ['run_id', 'key', 'task_run_id', 'bytes', 'created_at'] as const satisfies readonly (keyof ResultTable)[];
