/** A run as rows of segments over time: waits and executions, attempt by attempt. Pure. */
import type { TaskRun, Transition } from '../../../src/model/run.ts';
import type { StateName, StateType } from '../../../src/model/state.ts';
import type { RecordedUsage } from '../../../src/model/task-usage.ts';
import { type Progress, progressOf } from '../parts/progress.ts';
import { usageText } from '../parts/usage.ts';
import { isEnd } from '../graph/state-counts.ts';

/** The fields of a task run a timeline needs. */
export type TimelineTask = Pick<TaskRun, 'id' | 'name' | 'displayName' | 'index' | 'attempt' | 'startedAt' | 'endedAt'> & {
  readonly progress?: TaskRun['progress'];
  readonly metrics?: TaskRun['metrics'];
  readonly state: { readonly type: StateType; readonly name: StateName };
} & RecordedUsage;

export type TimelineChange = Pick<Transition, 'taskRunId' | 'at' | 'type' | 'name' | 'attempt' | 'message'>;

export interface Segment {
  /** `waiting` is hatched, `executing` solid, `suspended` thin: it holds no slot. */
  readonly kind: 'waiting' | 'executing' | 'suspended';
  readonly fromAt: number;
  /** Null while it continues. */
  readonly untilAt: number | null;
  readonly attempt: number;
  /** The state it ended in, or its current state. */
  readonly state: StateName;
}

export interface TimelineRow {
  readonly kind: 'states';
  /** Id of the task run; `run` for the run itself. */
  readonly id: string;
  readonly label: string;
  /** End of the label that distinguishes it from its neighbours and must not be cut off. */
  readonly suffix: string;
  readonly state: StateName;
  readonly attempts: number;
  /** While it runs and reports any. */
  readonly progress: Progress | null;
  /** Its resource usage as text; absent if unknown. */
  readonly used?: string;
  readonly segments: readonly Segment[];
  /** UTC epoch ms; null if it has not begun. */
  readonly fromAt: number | null;
  readonly untilAt: number | null;
}

/** Transitions by task run, in order; those of the run itself under the empty id. */
export function changesByTask(changes: readonly TimelineChange[]): ReadonlyMap<string, readonly TimelineChange[]> {
  const byTask = new Map<string, TimelineChange[]>();
  for (const change of changes) {
    const id = change.taskRunId ?? '';
    const list = byTask.get(id);
    if (list) list.push(change);
    else byTask.set(id, [change]);
  }
  return byTask;
}

/**
 * Rows in the order they began, those that have not begun last.
 *
 * @param changes by task run, as `changesByTask` returns them; a task run without any is drawn from its own start and end.
 * @param readyAt when everything a task run waited for had ended, so that unrecorded waiting is shown; null if unknown.
 */
export function timelineRows(
  tasks: readonly TimelineTask[],
  changes: ReadonlyMap<string, readonly TimelineChange[]>,
  readyAt: (task: TimelineTask) => number | null = () => null,
): readonly TimelineRow[] {
  const rows = tasks.map((task) => rowOf(task, changes.get(task.id) ?? [], readyAt(task)));
  return rows.sort((a, b) => (a.fromAt ?? Number.POSITIVE_INFINITY) - (b.fromAt ?? Number.POSITIVE_INFINITY));
}

/** The row of the run itself. */
export function runRow(label: string, state: StateName, changes: readonly TimelineChange[]): TimelineRow {
  const segments = segmentsOf(changes);
  return {
    kind: 'states',
    id: 'run',
    label,
    suffix: '',
    state,
    progress: null,
    attempts: changes.reduce((most, { attempt }) => Math.max(most, attempt), 1),
    segments,
    ...boundsOf(segments),
  };
}

/** When the last need of a task ended, by task name; for mapped needs, when all items had. */
export function readiness(
  edges: readonly { readonly from: string; readonly to: string }[],
  tasks: readonly TimelineTask[],
): (task: TimelineTask) => number | null {
  const endOf = new Map<string, number | null>();
  for (const { name, endedAt } of tasks) {
    const known = endOf.get(name);
    endOf.set(name, known === null || endedAt === null ? null : Math.max(known ?? 0, endedAt));
  }
  const needs = new Map<string, string[]>();
  for (const { from, to } of edges) {
    const list = needs.get(to);
    if (list) list.push(from);
    else needs.set(to, [from]);
  }
  return ({ name }) => {
    const ends = (needs.get(name) ?? []).map((need) => endOf.get(need) ?? null);
    return ends.length === 0 || ends.includes(null) ? null : Math.max(...ends.map((end) => end ?? 0));
  };
}

/** First and last instant of all rows; running ones end at `now`. Null if nothing began. */
export function spanOf(
  rows: readonly Pick<TimelineRow, 'fromAt' | 'untilAt'>[],
  now: number,
): { readonly fromAt: number; readonly untilAt: number } | null {
  let [fromAt, untilAt] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const row of rows) {
    if (row.fromAt === null) continue;
    fromAt = Math.min(fromAt, row.fromAt);
    untilAt = Math.max(untilAt, row.untilAt ?? now);
  }
  return fromAt === Number.POSITIVE_INFINITY ? null : { fromAt, untilAt: Math.max(untilAt, fromAt + 1) };
}

function rowOf(task: TimelineTask, changes: readonly TimelineChange[], readyAt: number | null): TimelineRow {
  const changed = segmentsOf(changes);
  // A cached task run never ran: its history is only its end.
  const segments = changed.length === 0 ? plainSegments(task) : changed;
  const [first] = segments;
  if (first && readyAt !== null && readyAt < first.fromAt)
    segments.unshift({ kind: 'waiting', fromAt: readyAt, untilAt: first.fromAt, attempt: first.attempt, state: 'Pending' });
  const used = usageText(task);
  return {
    kind: 'states',
    ...(used === null ? {} : { used }),
    id: task.id,
    label: task.displayName ?? (task.index === null ? task.name : `${task.name} [${task.index}]`),
    suffix: task.displayName === null && task.index !== null ? ` [${task.index}]` : '',
    state: task.state.name,
    attempts: task.attempt,
    progress: task.state.type === 'RUNNING' ? progressOf({ progress: task.progress ?? null, metrics: task.metrics ?? null }) : null,
    segments,
    ...boundsOf(segments),
  };
}

function plainSegments({ startedAt, endedAt, attempt, state }: TimelineTask): Segment[] {
  if (startedAt === null) return [];
  return [{ kind: 'executing', fromAt: startedAt, untilAt: endedAt, attempt, state: state.name }];
}

const kinds: Readonly<Record<StateType, Segment['kind'] | null>> = {
  SCHEDULED: 'waiting',
  PENDING: 'waiting',
  RUNNING: 'executing',
  CANCELLING: 'executing',
  PAUSED: 'suspended',
  COMPLETED: null,
  FAILED: null,
  CRASHED: null,
  CANCELLED: null,
};

function segmentsOf(changes: readonly TimelineChange[]): Segment[] {
  const segments: Segment[] = [];
  let open: Omit<Segment, 'untilAt'> | null = null;
  for (const { at, type, name, attempt } of changes) {
    const kind = kinds[type];
    if (open && kind === open.kind && attempt === open.attempt) {
      open = { kind, fromAt: open.fromAt, attempt, state: name };
      continue;
    }
    if (open) segments.push({ ...open, untilAt: at, state: open.kind === 'executing' ? name : open.state });
    open = kind === null || isEnd(name) ? null : { kind, fromAt: at, attempt, state: name };
  }
  if (open) segments.push({ ...open, untilAt: null });
  return segments;
}

function boundsOf(segments: readonly Segment[]): Pick<TimelineRow, 'fromAt' | 'untilAt'> {
  return { fromAt: segments[0]?.fromAt ?? null, untilAt: segments.at(-1)?.untilAt ?? null };
}
