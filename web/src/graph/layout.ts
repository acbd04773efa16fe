/** Where the nodes of a graph stand: left to right, by dagre. Pure. */
import { Graph, layout } from '@dagrejs/dagre';
import { placeInLayers, spansOf } from './layer-layout.ts';
import { gapPx, type LayoutRequest, type Places } from './places.ts';

/** Past so many nodes the layout belongs in a worker. */
export const mostInPage = 300;
/** From here on the best ranking costs more than it is worth. */
const quickRankingFrom = 60;
/** dagre stands a place holder in every column that an edge crosses, and needs many seconds past so many of them. */
const mostCrossings = 3_000;

/** Lays a graph out. A node without edges stands in the first column; the same request always gives the same places. */
export function placeNodes(request: LayoutRequest): Places {
  const { boxes, edges } = request;
  if (spansOf(request).reduce((sum, span) => sum + span, 0) > mostCrossings) return placeInLayers(request);
  const graph = new Graph({ directed: true });
  graph.setGraph({
    rankdir: 'LR',
    nodesep: gapPx.row,
    ranksep: gapPx.column,
    ranker: boxes.length > quickRankingFrom ? 'longest-path' : 'network-simplex',
  });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, width, height } of boxes) graph.setNode(id, { width, height });
  for (const { from, to } of edges) graph.setEdge(from, to);
  layout(graph);
  const places: Record<string, { x: number; y: number }> = {};
  for (const { id, width, height } of boxes) {
    const { x = 0, y = 0 } = graph.node(id) as { x?: number; y?: number };
    places[id] = { x: x - width / 2, y: y - height / 2 };
  }
  return places;
}
