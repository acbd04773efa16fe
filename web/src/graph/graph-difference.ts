/** Differences between the graphs of two versions of a flow. Pure. */
import { byteSize } from '../../../src/base/byte-size.ts';
import type { StoredEdge, StoredGraph, StoredTask } from './stored-graph.ts';

export type Difference = 'same' | 'added' | 'removed' | 'changed';

export interface GraphDifference {
  /** Tasks of both, those of the newer first. */
  readonly tasks: readonly { readonly name: string; readonly difference: Difference; readonly notes: readonly string[] }[];
  readonly edges: readonly (StoredEdge & { readonly difference: 'same' | 'added' | 'removed' })[];
  readonly isSame: boolean;
}

const compared = [
  'each',
  'trigger',
  'retries',
  'timeoutMs',
  'isolate',
  'memoryBytes',
  'profile',
  'slots',
  'queue',
  'spread',
  'conditional',
] as const;

/** How `after` differs from `before`; a task is changed if its needs or options differ. */
export function differenceOf(before: StoredGraph, after: StoredGraph): GraphDifference {
  const old = new Map(before.tasks.map((task) => [task.name, task]));
  const names = new Set(after.tasks.map(({ name }) => name));
  const tasks = after.tasks.map((task) => {
    const was = old.get(task.name);
    if (!was) return { name: task.name, difference: 'added' as const, notes: [] };
    const notes = compared.flatMap((option) =>
      was[option] === task[option] ? [] : [`${option}: ${valueText(option, was)} → ${valueText(option, task)}`],
    );
    for (const list of ['needs', 'after'] as const)
      if (was[list].join() !== task[list].join()) notes.unshift(`${list}: ${namesText(was[list])} → ${namesText(task[list])}`);
    return { name: task.name, difference: notes.length === 0 ? ('same' as const) : ('changed' as const), notes };
  });
  const removed = before.tasks.flatMap(({ name }) => (names.has(name) ? [] : [{ name, difference: 'removed' as const, notes: [] }]));
  const [oldEdges, newEdges] = [new Set(before.edges.map(edgeKey)), new Set(after.edges.map(edgeKey))];
  const edges = [
    ...after.edges.map((edge) => ({ ...edge, difference: oldEdges.has(edgeKey(edge)) ? ('same' as const) : ('added' as const) })),
    ...before.edges.flatMap((edge) => (newEdges.has(edgeKey(edge)) ? [] : [{ ...edge, difference: 'removed' as const }])),
  ];
  const all = [...tasks, ...removed];
  return { tasks: all, edges, isSame: [...all, ...edges].every(({ difference }) => difference === 'same') };
}

function edgeKey({ from, to, kind }: StoredEdge): string {
  return `${from}\n${to}\n${kind}`;
}

function namesText(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ');
}

function valueText(option: (typeof compared)[number], task: StoredTask): string {
  const value = task[option];
  if (value === null) return 'none';
  return option === 'memoryBytes' ? byteSize(Number(value)) : String(value);
}
