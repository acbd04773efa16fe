/** A graph too large to draw, as groups: by task if tasks repeat, else by distance from the start. Pure; O(nodes + edges). */
import { type GraphEdge, type GraphNode, hasPassed, mergeNodes, readableName, type RunGraph } from './graph-model.ts';

/** More nodes than this are not drawn one by one. */
export const mostNodes = 1_000;
/** Most layers of a grouped graph; more are merged. */
const mostLayers = 120;

/** One node per task name; edges between groups are drawn once. */
export function groupByName(graph: RunGraph): RunGraph {
  return group(graph, ({ tasks: [name] }) => {
    const of = name ?? '';
    return { id: `task:${of}`, label: readableName(of) };
  });
}

/** The drawable graph, and whether it had to be grouped. */
export function drawable(graph: RunGraph, most = mostNodes): { readonly graph: RunGraph; readonly grouped: boolean } {
  if (graph.nodes.length <= most) return { graph, grouped: false };
  const byName = groupByName(graph);
  if (byName.nodes.length <= most && byName.nodes.length < graph.nodes.length) return { graph: byName, grouped: true };
  const layerOf = layers(graph);
  const deepest = [...layerOf.values()].reduce((most, layer) => Math.max(most, layer), 0);
  const perStretch = Math.ceil((deepest + 1) / mostLayers);
  const layered = group(graph, ({ id }) => {
    const stretch = Math.floor((layerOf.get(id) ?? 0) / perStretch);
    const first = stretch * perStretch + 1;
    return { id: `layer:${stretch}`, label: perStretch === 1 ? `Step ${first}` : `Steps ${first} to ${first + perStretch - 1}` };
  });
  return { graph: layered, grouped: true };
}

function group(graph: RunGraph, groupOf: (node: GraphNode) => { readonly id: string; readonly label: string }): RunGraph {
  const members = new Map<string, { readonly label: string; readonly nodes: GraphNode[] }>();
  const idOf = new Map<string, string>();
  for (const node of graph.nodes) {
    const { id, label } = groupOf(node);
    idOf.set(node.id, id);
    const known = members.get(id);
    if (known) known.nodes.push(node);
    else members.set(id, { label, nodes: [node] });
  }
  const nodes = [...members].map(([id, { label, nodes: of }]) => mergeNodes(id, label, of));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const edges = new Map<string, GraphEdge>();
  for (const edge of graph.edges) {
    const [from, to] = [idOf.get(edge.from), idOf.get(edge.to)];
    if (from === undefined || to === undefined || from === to) continue;
    const key = `${from}\n${to}`;
    const before = edges.get(key);
    edges.set(key, { from, to, kind: edge.kind, lit: edge.lit || before?.lit === true || hasPassed(byId.get(from), byId.get(to)) });
  }
  return { nodes, edges: [...edges.values()] };
}

/** Distance of each node from the start; nodes on a cycle count as start nodes. */
function layers({ nodes, edges }: RunGraph): ReadonlyMap<string, number> {
  const onward = new Map<string, string[]>();
  const waitingFor = new Map<string, number>();
  for (const { from, to } of edges) {
    const list = onward.get(from);
    if (list) list.push(to);
    else onward.set(from, [to]);
    waitingFor.set(to, (waitingFor.get(to) ?? 0) + 1);
  }
  const layer = new Map<string, number>();
  const ready = nodes.flatMap(({ id }) => ((waitingFor.get(id) ?? 0) === 0 ? [id] : []));
  for (let at = 0; at < ready.length; at++) {
    const id = ready[at] as string;
    const here = layer.get(id) ?? 0;
    layer.set(id, here);
    for (const next of onward.get(id) ?? []) {
      layer.set(next, Math.max(layer.get(next) ?? 0, here + 1));
      const left = (waitingFor.get(next) ?? 0) - 1;
      waitingFor.set(next, left);
      if (left === 0) ready.push(next);
    }
  }
  return layer;
}
