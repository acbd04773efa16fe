/** Which tasks run again when a run is retried from one of them. */
import { BatutaError } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';
import type { Graph } from '../model/graph.ts';
import type { TaskRun } from '../model/run.ts';

/** The parts of a flow it needs: of a loaded definition, or of what the store knows. */
export interface FlowShape {
  readonly name: string;
  readonly kind: 'graph' | 'code';
  /** Names of its tasks. */
  readonly tasks: Iterable<string>;
  /** Nodes are in running order. */
  readonly graph: Pick<Graph, 'nodes' | 'edges'>;
}

/**
 * The task and all that comes after it: in a graph its dependents, in a code flow all task runs that began after its first one.
 *
 * @throws BatutaError USAGE if the flow has no such task.
 */
export function namesFrom(flow: FlowShape, from: string, taskRuns: readonly TaskRun[]): string[] {
  const known = [...new Set([...flow.tasks, ...taskRuns.map((row) => row.name)])];
  if (!known.includes(from))
    throw new BatutaError('USAGE', `Flow ${flow.name} has no task '${from}'.${hintFor(from, known, 'Its tasks are')}`);
  return flow.kind === 'graph' ? downstreamOf(flow, from) : startedSince(taskRuns, from);
}

function downstreamOf({ graph }: FlowShape, from: string): string[] {
  const names = new Set([from]);
  // Nodes are in running order, so one pass sees every upstream before what it unlocks.
  const into = new Map<string, string[]>();
  for (const { from: giver, to } of graph.edges) into.set(to, [...(into.get(to) ?? []), giver]);
  for (const node of graph.nodes) if (into.get(node)?.some((giver) => names.has(giver))) names.add(node);
  return [...names];
}

function startedSince(taskRuns: readonly TaskRun[], from: string): string[] {
  const first = Math.min(...taskRuns.filter((row) => row.name === from).map((row) => row.startedAt ?? Number.POSITIVE_INFINITY));
  return [...new Set([from, ...taskRuns.filter((row) => (row.startedAt ?? 0) >= first).map((row) => row.name)])];
}
