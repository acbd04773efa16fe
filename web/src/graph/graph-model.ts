/** The graph of a run as drawn: nodes with their state, and edges that light up. Pure. */
import type { TaskRun } from '../../../src/model/run.ts';
import { isolationWords } from '../../../src/model/isolation-words.ts';
import type { StateName } from '../../../src/model/state.ts';
import { type Progress, progressOf } from '../parts/progress.ts';
import { addCounts, isEnd, type StateCounts, stateOfAll, totalOf, typeOfState } from './state-counts.ts';
import { orderByTime } from './time-order.ts';
import type { EdgeKind, StoredGraph, StoredTask } from './stored-graph.ts';

/** The fields of a task run a graph needs. */
export type TaskRunFacts = Pick<
  TaskRun,
  'id' | 'name' | 'key' | 'displayName' | 'index' | 'attempt' | 'startedAt' | 'endedAt' | 'dependsOn' | 'childRunId' | 'progress'
> & { readonly state: { readonly name: StateName }; readonly metrics?: TaskRun['metrics'] };

export interface GraphNode {
  /** Task name in a static graph, id of the task run in a code flow, else that of a group. */
  readonly id: string;
  readonly label: string;
  /** `group`: several tasks or task runs drawn as one. */
  readonly kind: 'task' | 'mapped' | 'flow' | 'group';
  /** Null: nothing recorded yet. */
  readonly state: StateName | null;
  readonly counts: StateCounts;
  /** UTC epoch ms. */
  readonly startedAt: number | null;
  /** Null while one of its task runs has not ended. */
  readonly endedAt: number | null;
  /** Highest number of attempts of its task runs. */
  readonly attempts: number;
  /** Names of the tasks it stands for. */
  readonly tasks: readonly string[];
  readonly childRunId: string | null;
  /** A special property, e.g. `each of files`. */
  readonly note: string | null;
  /** Progress of a single running task run that reports any. */
  readonly progress: Progress | null;
}

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  /** `undo`: to the task run that undoes it, in a rollback. */
  readonly kind: EdgeKind | 'undo';
  /** Whether its data has passed. */
  readonly lit: boolean;
}

export interface RunGraph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/**
 * The graph of a static flow.
 *
 * @param counts task runs by task and state; may exceed `taskRuns` while these are still loading.
 */
export function graphOfFlow(
  stored: StoredGraph,
  taskRuns: readonly TaskRunFacts[],
  counts: ReadonlyMap<string, StateCounts> = countsByName(taskRuns),
): RunGraph {
  const runsOf = new Map<string, TaskRunFacts[]>();
  for (const run of taskRuns) pushTo(runsOf, run.name, run);
  const known = new Set(stored.tasks.map(({ name }) => name));
  const nodes = stored.tasks.map((task) => nodeOf(task.name, task, runsOf.get(task.name) ?? [], counts.get(task.name) ?? {}));
  // A run of another version of the flow, or one that waits or runs sub-flows, has task runs that are not in the graph.
  const others = [...new Set([...counts.keys(), ...runsOf.keys()])].filter((name) => !known.has(name));
  for (const name of others) nodes.push(nodeOf(name, null, runsOf.get(name) ?? [], counts.get(name) ?? {}));
  const nameOf = new Map(taskRuns.map(({ key, name }) => [key, name]));
  const given = others.flatMap((to) =>
    [...new Set((runsOf.get(to) ?? []).flatMap(({ dependsOn }) => dependsOn ?? []).flatMap((key) => nameOf.get(key) ?? []))].map(
      (from) => ({
        from,
        to,
      }),
    ),
  );
  return withUndoing(nodes, stored, given);
}

/** Task runs outside a static graph that received results are undoing ones: each is linked to the task it undoes, with a note. */
function withUndoing(
  nodes: readonly GraphNode[],
  stored: StoredGraph,
  given: readonly { readonly from: string; readonly to: string }[],
): RunGraph {
  const known = new Set(stored.tasks.map(({ name }) => name));
  const undoing = given.filter(({ from, to }) => known.has(from) && !known.has(to));
  const undoneBy = new Map<string, string[]>();
  for (const { from, to } of undoing) pushTo(undoneBy, to, from);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const edges = [...stored.edges, ...undoing.map((edge) => ({ ...edge, kind: 'undo' as const }))];
  return {
    nodes: nodes.map((node) => {
      const undone = undoneBy.get(node.id);
      return undone === undefined ? node : { ...node, note: `undoes ${undone.join(', ')}` };
    }),
    edges: edges.map((edge) => ({ ...edge, lit: hasPassed(byId.get(edge.from), byId.get(edge.to)) })),
  };
}

/**
 * The graph of a code flow, from the inputs of its task runs. Of a task run without inputs from others only the start is known;
 * it is drawn after those that had ended by then, with an edge of kind `order`.
 */
export function graphOfTaskRuns(taskRuns: readonly TaskRunFacts[]): RunGraph {
  const idOf = new Map(taskRuns.map((run) => [run.key, run.id]));
  const nodes = taskRuns.map((run): GraphNode => {
    const label = run.displayName ?? readableName(run.name);
    return {
      ...nodeOf(run.name, null, [run], { [run.state.name]: 1 }),
      id: run.id,
      label,
      kind: run.childRunId === null ? 'task' : 'flow',
    };
  });
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const edges = taskRuns.flatMap((run) =>
    [...new Set(run.dependsOn ?? [])].flatMap((key): GraphEdge[] => {
      const from = idOf.get(key);
      if (from === undefined || from === run.id) return [];
      return [{ from, to: run.id, kind: 'data', lit: hasPassed(byId.get(from), byId.get(run.id)) }];
    }),
  );
  const unknown = new Set(nodes.map(({ id }) => id));
  for (const { to } of edges) unknown.delete(to);
  const order = orderByTime(nodes, unknown).map(
    ({ from, to }): GraphEdge => ({ from, to, kind: 'order', lit: hasPassed(byId.get(from), byId.get(to)) }),
  );
  return { nodes, edges: [...edges, ...order] };
}

/** The fields of all task runs of one task a graph needs. */
export interface TaskGroupFacts {
  readonly name: string;
  readonly counts: StateCounts;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly attempts: number;
  /** If there is only one. */
  readonly single: (Pick<TaskRun, 'childRunId' | 'progress'> & { readonly metrics?: TaskRun['metrics'] }) | null;
}

/** The graph of a static flow, or of a code flow by tasks (`stored` is null), from task runs counted by task. */
export function graphOfGroups(
  stored: StoredGraph | null,
  groups: readonly TaskGroupFacts[],
  given: readonly { readonly from: string; readonly to: string }[],
): RunGraph {
  const groupOf = new Map(groups.map((group) => [group.name, group]));
  const known = new Set(stored?.tasks.map(({ name }) => name));
  const nodes = [
    ...(stored?.tasks ?? []).map((task) => nodeOfGroup(task.name, task, groupOf.get(task.name))),
    ...groups.filter(({ name }) => !known.has(name)).map((group) => nodeOfGroup(group.name, null, group)),
  ];
  if (stored !== null) return withUndoing(nodes, stored, given);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const lit = <E extends { readonly from: string; readonly to: string }>(edge: E) => ({
    ...edge,
    lit: hasPassed(byId.get(edge.from), byId.get(edge.to)),
  });
  const edges = given.map((edge) => lit({ ...edge, kind: 'data' as const }));
  const unknown = new Set(nodes.map(({ id }) => id));
  for (const { to } of edges) unknown.delete(to);
  return { nodes, edges: [...edges, ...orderByTime(nodes, unknown).map((edge) => lit({ ...edge, kind: 'order' as const }))] };
}

/** Task runs counted by task and state. */
export function countsByName(taskRuns: readonly Pick<TaskRunFacts, 'name' | 'state'>[]): ReadonlyMap<string, StateCounts> {
  const counts = new Map<string, Partial<Record<StateName, number>>>();
  for (const { name, state } of taskRuns) {
    const of = counts.get(name) ?? {};
    of[state.name] = (of[state.name] ?? 0) + 1;
    counts.set(name, of);
  }
  return counts;
}

/** Whether the result of `from` has reached `to`; for a running stream, whether its first record has. */
export function hasPassed(from: GraphNode | undefined, to: GraphNode | undefined): boolean {
  if (from?.state == null || to?.state == null || to.startedAt === null) return false;
  return from.endedAt !== null || (from.progress?.perSecond !== undefined && from.progress.done > 0);
}

/** Merges several nodes into one. */
export function mergeNodes(id: string, label: string, nodes: readonly GraphNode[]): GraphNode {
  const counts = addCounts(nodes.map((node) => node.counts));
  const started = nodes.flatMap(({ startedAt }) => startedAt ?? []);
  const all = nodes.every(({ endedAt }) => endedAt !== null);
  return {
    id,
    label,
    kind: 'group',
    state: stateOfAll(counts),
    counts,
    startedAt: started.length === 0 ? null : started.reduce((a, b) => Math.min(a, b)),
    endedAt: all && nodes.length > 0 ? nodes.reduce((latest, { endedAt }) => Math.max(latest, endedAt ?? 0), 0) : null,
    attempts: nodes.reduce((most, { attempts }) => Math.max(most, attempts), 0),
    tasks: [...new Set(nodes.flatMap(({ tasks }) => tasks))],
    childRunId: null,
    note: null,
    progress: null,
  };
}

/** The name of a task run for people: that of a sub-flow without its prefix. */
export function readableName(name: string): string {
  return name.startsWith('flow:') ? name.slice('flow:'.length) : name;
}

function nodeOf(name: string, task: StoredTask | null, runs: readonly TaskRunFacts[], counts: StateCounts): GraphNode {
  const started = runs.flatMap(({ startedAt }) => startedAt ?? []);
  const [only] = runs;
  return nodeOfGroup(name, task, {
    counts,
    startedAt: started.length === 0 ? null : started.reduce((a, b) => Math.min(a, b)),
    endedAt: runs.reduce<number | null>((latest, { endedAt }) => (endedAt === null ? latest : Math.max(latest ?? 0, endedAt)), null),
    attempts: runs.reduce((most, { attempt }) => Math.max(most, attempt), 0),
    single: runs.length === 1 ? (only ?? null) : null,
  });
}

const nothingYet: Omit<TaskGroupFacts, 'name'> = { counts: {}, startedAt: null, endedAt: null, attempts: 0, single: null };

function nodeOfGroup(name: string, task: StoredTask | null, group: Omit<TaskGroupFacts, 'name'> = nothingYet): GraphNode {
  const { counts, single, startedAt, attempts } = group;
  const state = stateOfAll(counts);
  const done = state !== null && Object.keys(counts).every(isEnd);
  const mapped = task ? task.each !== null : totalOf(counts) > 1;
  return {
    id: name,
    label: readableName(name),
    kind: mapped ? 'mapped' : name.startsWith('flow:') ? 'flow' : 'task',
    state,
    counts,
    startedAt,
    endedAt: done ? group.endedAt : null,
    attempts,
    tasks: [name],
    childRunId: single?.childRunId ?? null,
    note: task === null ? null : noteOf(task),
    progress: !mapped && state !== null && typeOfState(state) === 'RUNNING' ? single && progressOf(single) : null,
  };
}

function noteOf(task: StoredTask): string | null {
  const parts = [
    task.each === null ? null : `each of ${task.each}`,
    task.conditional ? 'conditional' : null,
    task.trigger === 'allSucceeded' ? null : task.trigger,
    ...isolationWords(task),
    task.queue === null ? (task.spread ? 'spread' : null) : `queue ${task.queue}`,
  ].filter((part) => part !== null);
  return parts.length === 0 ? null : parts.join(' · ');
}

function pushTo<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
