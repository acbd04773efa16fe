/** All rows that belong to a run of the history. */
import type { Failure } from '../../src/model/failure.ts';
import type { Artifact, LogLine, Owner, RunPatch, TaskRun, Transition } from '../../src/model/run.ts';
import { isTerminal } from '../../src/model/state.ts';
import type { StateName, StateType } from '../../src/model/state.ts';
import type { NewRun } from '../../src/store/store.ts';
import type { SeedTask } from './catalogue.ts';
import { flows } from './catalogue.ts';
import type { Chance } from './chance.ts';
import type { SeedRun } from './history.ts';

export interface RunRows {
  readonly run: NewRun & RunPatch;
  /** Process that runs it now; null for what waits or has ended. */
  readonly owner: Owner | null;
  readonly taskRuns: readonly TaskRun[];
  readonly transitions: readonly Transition[];
  readonly logs: readonly LogLine[];
  readonly artifacts: readonly Artifact[];
}

export interface RowOptions {
  readonly chance: Chance;
  /** Items of mapped tasks, on average. */
  readonly items: number;
  /** Ids of schedules by the name of their deployment. */
  readonly schedules: ReadonlyMap<string, string>;
  readonly owners: readonly Owner[];
  readonly now: number;
  /** Runs since then have the history of each of their tasks, and logs. */
  readonly detailedSince: number;
}

const names = [
  'amber',
  'brisk',
  'calm',
  'deft',
  'eager',
  'fleet',
  'gentle',
  'hardy',
  'keen',
  'lucid',
  'mellow',
  'nimble',
  'quick',
  'steady',
];
const animals = [
  'badger',
  'crane',
  'dolphin',
  'egret',
  'falcon',
  'heron',
  'ibis',
  'lynx',
  'marten',
  'otter',
  'plover',
  'raven',
  'stoat',
  'wren',
];
const failures: readonly Failure[] = [
  failure('TimeoutError', 'The warehouse did not answer within 30 s.', 'ETIMEDOUT'),
  failure('HttpError', 'GET https://api.example.com/v2/items answered 503 Service Unavailable.', null),
  failure('TypeError', "Cannot read properties of undefined (reading 'total')", null),
  failure('DatabaseError', 'duplicate key value violates unique constraint "orders_pkey"', '23505'),
];

function failure(name: string, message: string, code: string | null): Failure {
  return { name, message, code, stack: `${name}: ${message}\n    at task (flows/example.ts:42:11)`, details: null, cause: null };
}

/** The rows of a run, and after it those of its sub-flow runs. */
export function rowsOf(seed: SeedRun, options: RowOptions): RunRows[] {
  const { chance, now } = options;
  const startedAt =
    seed.state.type === 'SCHEDULED' ? null : Math.min(now, Math.max(seed.createdAt, seed.scheduledFor ?? 0) + 1 + chance.below(40));
  const error = seed.state.type === 'FAILED' || seed.state.type === 'CRASHED' ? chance.pick(failures) : null;
  const tasks = startedAt === null ? { taskRuns: [], endedAt: 0, children: [] } : taskRunsOf(seed, startedAt, error, options);
  const ended = isTerminal(seed.state.type);
  const endedAt = ended ? Math.min(tasks.endedAt + 2, now) : null;
  const owner = seed.state.type === 'RUNNING' ? chance.pick(options.owners) : null;
  const detailed = seed.createdAt >= options.detailedSince;
  const run = runOf(seed, { startedAt, endedAt, error, schedules: options.schedules, now, chance });
  const transitions = transitionsOf(seed, run, tasks.taskRuns, detailed);
  const logs = detailed || (error !== null && chance.next() < 0.2) || chance.next() < 0.03 ? logsOf(run, tasks.taskRuns) : [];
  return [{ run, owner, taskRuns: tasks.taskRuns, transitions, logs, artifacts: artifactsOf(run, chance) }, ...tasks.children];
}

interface Course {
  readonly taskRuns: TaskRun[];
  readonly endedAt: number;
  readonly children: RunRows[];
}

function taskRunsOf(seed: SeedRun, startedAt: number, error: Failure | null, options: RowOptions): Course {
  const { chance, now } = options;
  const { tasks } = seed.flow;
  const endOf = new Map<string, number>();
  const taskRuns: TaskRun[] = [];
  const children: RunRows[] = [];
  for (const [place, task] of tasks.entries()) {
    const from = Math.max(startedAt, ...task.needs.map((need) => endOf.get(need) ?? startedAt)) + 1;
    const state = taskState(seed, place);
    if (state === null) continue;
    const items = task.each === undefined ? 1 : Math.max(1, Math.round(options.items * (0.5 + chance.next())));
    let last = from;
    for (let index = 0; index < items; index += 1) {
      const begins = state.type === 'SCHEDULED' || state.name === 'UpstreamFailed' ? null : Math.min(from + index * 3, now);
      const ends = begins === null || !isTerminal(state.type) ? null : Math.min(begins + chance.around(task.ms), now);
      const own =
        task.each === undefined || index === items - 1 || !isTerminal(state.type)
          ? state
          : { type: 'COMPLETED' as const, name: 'Completed' as const };
      const row = taskRunOf(
        seed,
        task,
        task.each === undefined ? null : index,
        own,
        begins,
        ends ?? (own.name === 'UpstreamFailed' ? from : null),
        error,
        chance,
      );
      if (task.subFlow !== undefined && begins !== null) {
        const child = childOf(seed, task.subFlow, row, begins, options);
        children.push(...child);
        taskRuns.push({ ...row, childRunId: child[0]?.run.id ?? null });
      } else taskRuns.push(row);
      last = Math.max(last, ends ?? from);
    }
    endOf.set(task.name, last);
  }
  return { taskRuns, endedAt: Math.max(startedAt, ...endOf.values()), children };
}

/** What became of a task of a run; null when it was never recorded. */
function taskState({ state, stopsAt }: SeedRun, place: number): { readonly type: StateType; readonly name: StateName } | null {
  if (stopsAt === null || place < stopsAt) return { type: 'COMPLETED', name: 'Completed' };
  if (place === stopsAt) return state.type === 'PAUSED' ? { type: 'RUNNING', name: 'Running' } : state;
  return state.type === 'FAILED' ? { type: 'FAILED', name: 'UpstreamFailed' } : null;
}

function taskRunOf(
  seed: SeedRun,
  task: SeedTask,
  index: number | null,
  state: { readonly type: StateType; readonly name: StateName },
  startedAt: number | null,
  endedAt: number | null,
  error: Failure | null,
  chance: Chance,
): TaskRun {
  const failed = state.type === 'FAILED' && state.name !== 'UpstreamFailed';
  return {
    id: chance.id(startedAt ?? seed.createdAt),
    runId: seed.id,
    name: task.name,
    key: index === null ? task.name : `${task.name}[${index}]`,
    displayName: null,
    index,
    state: { ...state, message: failed ? (error?.message ?? null) : null },
    attempt: startedAt === null ? 0 : failed ? 3 : 1,
    startedAt,
    endedAt,
    dueAt: null,
    dependsOn: null,
    progress: null,
    metrics: null,
    result: state.type === 'COMPLETED' ? '{"json":{"rows":120}}' : null,
    resultRef: null,
    error: failed ? error : null,
    childRunId: null,
    itemHash: null,
    callArgs: null,
  };
}

function childOf(seed: SeedRun, name: string, task: TaskRun, at: number, options: RowOptions): RunRows[] {
  const flow = flows.find((known) => known.name === name);
  if (flow === undefined) return [];
  const type = task.state.type === 'COMPLETED' ? ({ type: 'COMPLETED', name: 'Completed' } as const) : seed.state;
  const stopsAt = type.type === 'COMPLETED' ? null : 1;
  const parent = { runId: seed.id, taskRunId: task.id };
  return rowsOf(
    { id: options.chance.id(at), flow, deployment: null, createdAt: at, scheduledFor: null, state: type, stopsAt, parent },
    options,
  );
}

interface RunParts {
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly error: Failure | null;
  readonly schedules: ReadonlyMap<string, string>;
  readonly now: number;
  readonly chance: Chance;
}

function runOf(seed: SeedRun, { startedAt, endedAt, error, schedules, now, chance }: RunParts): NewRun & RunPatch {
  const { flow, deployment, state } = seed;
  const tag = flow.runTags.length > 0 && chance.next() < 0.7 ? [chance.pick(flow.runTags)] : [];
  const messages: Partial<Record<StateName, string>> = {
    Late: 'It should have started; no worker has taken it yet.',
    Suspended: 'Waits for the signal approve.',
    AwaitingRetry: 'Tries again soon.',
    Cancelled: 'It was cancelled by hand.',
  };
  return {
    id: seed.id,
    flow: flow.name,
    flowVersion: 'seed-1',
    name: `${chance.pick(names)}-${chance.pick(animals)}-${chance.below(1_000)}`,
    deployment: deployment?.name ?? null,
    parentRunId: seed.parent?.runId ?? null,
    parentTaskRunId: seed.parent?.taskRunId ?? null,
    state: { ...state, message: error?.message ?? messages[state.name] ?? null },
    params: `{"json":{"batch":${chance.below(100_000)}}}`,
    attempt: 1,
    tags: [...flow.tags, ...(deployment?.tags ?? []), ...tag],
    source: `flows/${flow.name}.ts#default`,
    scheduledFor: seed.scheduledFor,
    scheduleId: deployment === null ? null : (schedules.get(deployment.name) ?? null),
    dueAt:
      state.name === 'AwaitingRetry'
        ? now + 60_000 + chance.below(600_000)
        : state.name === 'Late'
          ? (seed.scheduledFor ?? seed.createdAt)
          : null,
    createdAt: seed.createdAt,
    queue: deployment?.queue ?? 'default',
    startedAt,
    endedAt,
    ...(error === null ? {} : { error }),
    ...(state.type === 'COMPLETED' ? { result: '{"json":{"ok":true}}' } : {}),
  };
}

function transitionsOf(seed: SeedRun, run: NewRun & RunPatch, taskRuns: readonly TaskRun[], detailed: boolean): Transition[] {
  const rows: Transition[] = [];
  const add = (taskRunId: string | null, at: number, type: StateType, name: StateName, message: string | null, attempt: number): void => {
    rows.push({ runId: run.id, taskRunId, at, type, name, message, attempt, owner: null });
  };
  add(null, run.createdAt, 'SCHEDULED', 'Scheduled', null, 1);
  if (run.startedAt != null) add(null, run.startedAt, 'RUNNING', 'Running', null, 1);
  if (detailed) {
    for (const row of taskRuns) {
      if (row.startedAt !== null) add(row.id, row.startedAt, 'RUNNING', 'Running', null, 1);
      if (row.endedAt !== null) add(row.id, row.endedAt, row.state.type, row.state.name, row.state.message, row.attempt);
    }
  }
  if (seed.state.type !== 'RUNNING')
    add(null, run.endedAt ?? run.startedAt ?? run.createdAt, seed.state.type, seed.state.name, run.state.message, 1);
  return rows.sort((left, right) => left.at - right.at);
}

function logsOf(run: NewRun & RunPatch, taskRuns: readonly TaskRun[]): LogLine[] {
  const lines: LogLine[] = [];
  for (const row of taskRuns) {
    if (row.startedAt === null) continue;
    const line = { runId: run.id, taskRunId: row.id, fields: null };
    lines.push({ ...line, at: row.startedAt, level: 30, message: `Begins ${row.key}` });
    if (row.error !== null) {
      lines.push({ ...line, at: row.endedAt ?? row.startedAt, level: 40, message: 'Attempt 2 failed, tries again in 5 s' });
      lines.push({ ...line, at: row.endedAt ?? row.startedAt, level: 50, message: row.error.message });
    } else if (row.endedAt !== null) lines.push({ ...line, at: row.endedAt, level: 30, message: `Wrote 120 rows`, fields: { rows: 120 } });
  }
  return lines;
}

function artifactsOf(run: NewRun & RunPatch, chance: Chance): Artifact[] {
  if (run.endedAt == null || chance.next() >= 0.03) return [];
  const base = { id: chance.id(run.endedAt), runId: run.id, taskRunId: null, createdAt: run.endedAt };
  const dice = chance.next();
  if (dice < 0.4)
    return [{ ...base, kind: 'markdown', name: 'summary', data: `# ${run.flow}\n\n120 rows were written, **3** were refused.` }];
  if (dice < 0.7)
    return [
      {
        ...base,
        kind: 'table',
        name: 'totals',
        data: [
          { region: 'eu', rows: 70 },
          { region: 'us', rows: 50 },
        ],
      },
    ];
  if (dice < 0.9) return [{ ...base, kind: 'link', name: 'report', data: `https://reports.example.com/${run.id}` }];
  return [{ ...base, kind: 'rejects', name: 'refused rows', data: [{ record: { id: 17 }, reason: 'no country' }] }];
}
