/** How the graph of a flow differs from that of an earlier version. Pure. */
import type { GraphChange } from './deployments-client.ts';

interface Wiring {
  /** Needs by task name: `load`, `after check`, `each of list`. */
  readonly needs: ReadonlyMap<string, readonly string[]>;
}

/** The difference; null if there is none, or one is not a graph. */
export function graphChange(before: unknown, after: unknown): GraphChange | null {
  const [was, is] = [wiringOf(before), wiringOf(after)];
  if (!was || !is) return null;
  const added = [...is.needs.keys()].filter((task) => !was.needs.has(task));
  const removed = [...was.needs.keys()].filter((task) => !is.needs.has(task));
  const rewired = [...is.needs].flatMap(([task, needs]) => {
    const earlier = was.needs.get(task);
    return earlier === undefined || String(earlier) === String(needs) ? [] : [{ task, before: earlier, after: needs }];
  });
  return added.length + removed.length + rewired.length === 0 ? null : { added, removed, rewired };
}

/** Reads a stored graph, plain JSON of another time: what does not fit is not a graph. */
function wiringOf(graph: unknown): Wiring | null {
  const { nodes, edges } = (graph ?? {}) as { readonly nodes?: unknown; readonly edges?: unknown };
  if (!Array.isArray(nodes) || !Array.isArray(edges)) return null;
  const needs = new Map<string, string[]>();
  for (const { name } of nodes as { readonly name?: unknown }[]) if (typeof name === 'string') needs.set(name, []);
  for (const { from, to, kind } of edges as { readonly from?: unknown; readonly to?: unknown; readonly kind?: unknown }[]) {
    needs.get(String(to))?.push(`${kind === 'order' ? 'after ' : kind === 'each' ? 'each of ' : ''}${String(from)}`);
  }
  return { needs: new Map([...needs].map(([task, list]) => [task, list.sort()])) };
}
