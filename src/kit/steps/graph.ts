/** The graph of a pipeline: which step follows which. */
import type { FlowPlan } from '../../define/metadata.ts';
import type { Edge, Graph } from '../../model/graph.ts';
import { leavesOf, type PlanNode } from './plan.ts';

/** Its first and last steps. */
interface Ends {
  readonly first: readonly string[];
  readonly last: readonly string[];
}

/** Steps in the order written; each edge means that data is passed on. */
export function graphOf(nodes: readonly PlanNode[]): Graph {
  const edges: Edge[] = [];
  endsOf(nodes, [], edges);
  const givers = new Set(edges.map(({ from }) => from));
  const names = leavesOf(nodes).map(({ name }) => name);
  return { nodes: names, edges, sinks: names.filter((name) => !givers.has(name)) };
}

/** Draws what follows `before`. */
function endsOf(nodes: readonly PlanNode[], before: readonly string[], edges: Edge[]): Ends {
  let first: readonly string[] | null = null;
  let last = before;
  for (const node of nodes) {
    const ends = nodeEnds(node, last, edges);
    first ??= ends.first;
    if (node.kind !== 'background') last = ends.last;
  }
  return { first: first ?? [], last };
}

function nodeEnds(node: PlanNode, before: readonly string[], edges: Edge[]): Ends {
  if (node.kind === 'step') {
    for (const from of before) edges.push({ from, to: node.name, kind: 'data' });
    return { first: [node.name], last: [node.name] };
  }
  if (node.kind !== 'parallel') return endsOf(node.steps, before, edges);
  const branches = node.branches.map((branch) => endsOf(branch, before, edges));
  return { first: branches.flatMap(({ first }) => first), last: branches.flatMap(({ last }) => last) };
}

/** What is known of single steps: the list of the nearest `forEach`, and whether there is a condition. */
export function stepsKnown(
  nodes: readonly PlanNode[],
  when: (name: string) => (...path: readonly unknown[]) => Promise<boolean>,
): FlowPlan['tasks'] {
  const known = new Map<string, { each?: string; when?: (...path: readonly unknown[]) => Promise<boolean> }>();
  const walk = (list: readonly PlanNode[], each: string | null, isConditional: boolean): void => {
    for (const node of list) {
      if (node.kind === 'step') {
        known.set(node.name, { ...(each === null ? {} : { each }), ...(isConditional ? { when: when(node.name) } : {}) });
      } else if (node.kind === 'parallel') for (const branch of node.branches) walk(branch, each, isConditional);
      else if (node.kind === 'forEach') walk(node.steps, typeof node.list === 'string' ? node.list : node.as, isConditional);
      else walk(node.steps, each, isConditional || node.kind === 'when');
    }
  };
  walk(nodes, null, false);
  return known;
}
