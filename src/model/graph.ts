/** The shape of a static graph: which task waits for which. Pure; O(tasks + edges). */

/** One edge: `to` waits for `from`. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  /** `data`: the result is an argument. `each`: one task run per item. `order`: no data. */
  readonly kind: 'data' | 'each' | 'order';
}

/** A graph without cycles. Each node comes after all nodes it waits for. */
export interface Graph {
  readonly nodes: readonly string[];
  readonly edges: readonly Edge[];
  /** Names of tasks that nothing waits for, in the order of `nodes`. */
  readonly sinks: readonly string[];
}

/** What `buildGraph` reads of a task. */
export interface GraphTask {
  readonly name: string;
  readonly needs: readonly string[];
  readonly after: readonly string[];
  readonly each: string | null;
}

/** What is wrong with a set of tasks. */
export type GraphFault =
  | { readonly kind: 'unknown'; readonly task: string; readonly need: string; readonly option: 'needs' | 'after' | 'each' }
  | { readonly kind: 'cycle'; readonly path: readonly string[] };

/** The edges into one task: each first, then needs, then after. */
export function edgesInto(task: GraphTask): Edge[] {
  const edge =
    (kind: Edge['kind']) =>
    (from: string): Edge => ({ from, to: task.name, kind });
  return [...(task.each === null ? [] : [edge('each')(task.each)]), ...task.needs.map(edge('data')), ...task.after.map(edge('order'))];
}

/**
 * Orders tasks and reports the first fault: an unknown name, else one cycle as a path that repeats its first name at the end.
 *
 * Tasks that may start together keep the order of declaration.
 */
export function buildGraph(tasks: Iterable<GraphTask>): { readonly graph: Graph } | { readonly fault: GraphFault } {
  const byName = new Map([...tasks].map((task) => [task.name, task]));
  const edges: Edge[] = [];
  const waitingFor = new Map<string, number>();
  const unlocks = new Map<string, string[]>();
  for (const task of byName.values()) {
    const inward = edgesInto(task);
    for (const edge of inward) {
      if (!byName.has(edge.from)) return { fault: { kind: 'unknown', task: task.name, need: edge.from, option: optionOf(edge.kind) } };
      const list = unlocks.get(edge.from);
      if (list) list.push(task.name);
      else unlocks.set(edge.from, [task.name]);
      edges.push(edge);
    }
    waitingFor.set(task.name, inward.length);
  }
  const nodes = [...byName.keys()].filter((name) => waitingFor.get(name) === 0);
  for (let at = 0; at < nodes.length; at++) {
    for (const next of unlocks.get(nodes[at] as string) ?? []) {
      const left = (waitingFor.get(next) ?? 0) - 1;
      waitingFor.set(next, left);
      if (left === 0) nodes.push(next);
    }
  }
  if (nodes.length < byName.size) return { fault: { kind: 'cycle', path: findCycle(byName, new Set(nodes)) } };
  return { graph: { nodes, edges, sinks: nodes.filter((name) => !unlocks.has(name)) } };
}

function optionOf(kind: Edge['kind']): 'needs' | 'after' | 'each' {
  return kind === 'data' ? 'needs' : kind === 'order' ? 'after' : 'each';
}

/** Walks backwards among the tasks that could not be ordered; each waits for another of them, so the walk must close. */
function findCycle(byName: ReadonlyMap<string, GraphTask>, ordered: ReadonlySet<string>): string[] {
  const path: string[] = [];
  const seenAt = new Map<string, number>();
  let name = [...byName.keys()].find((candidate) => !ordered.has(candidate));
  while (name !== undefined && !seenAt.has(name)) {
    seenAt.set(name, path.length);
    path.push(name);
    const task = byName.get(name);
    name = task && edgesInto(task).find((edge) => !ordered.has(edge.from))?.from;
  }
  if (name === undefined) return path;
  return [...path.slice(seenAt.get(name)), name].reverse();
}
