/** Positions of a graph's nodes, left to right, and of its edges between them; by dagre. Pure. */
import { Graph, layout } from '@dagrejs/dagre';
import { placeInLayers, spansOf } from './layer-layout.ts';
import { type Box, gapPx, type Lane, laneKey, type Layout, type LayoutRequest } from './places.ts';

/** Beyond so many nodes the layout runs in a worker. */
export const mostInPage = 300;
/** From this size on the best ranking is not worth its cost. */
const quickRankingFrom = 60;
/** dagre puts a placeholder in every column an edge crosses, and takes many seconds with more of them. */
const mostCrossings = 3_000;

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Lays out a graph. A node without edges is in the first column; the layout is deterministic. */
export function placeNodes(request: LayoutRequest): Layout {
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
  const middles = new Map(boxes.map(({ id }) => [id, pointOf(graph.node(id))]));
  return {
    places: Object.fromEntries(
      boxes.map(({ id, width, height }) => {
        const { x, y } = middles.get(id) ?? pointOf({});
        return [id, { x: x - width / 2, y: y - height / 2 }];
      }),
    ),
    lanes: lanesOf(request, middles, (from, to) => (graph.edge(from, to) as { points?: readonly Point[] } | undefined)?.points ?? []),
  };
}

/** dagre bends an edge in the middle of each column it crosses, beside the nodes there; it is kept level along their width. */
function lanesOf(
  { boxes, edges }: LayoutRequest,
  middles: ReadonlyMap<string, Point>,
  bendsOf: (from: string, to: string) => readonly Point[],
): Layout['lanes'] {
  const widths = columnWidths(boxes, middles);
  const lanes: Record<string, readonly Lane[]> = {};
  for (const { from, to } of edges) {
    const [startX, endX] = [middles.get(from)?.x ?? 0, middles.get(to)?.x ?? 0];
    const crossed = bendsOf(from, to).flatMap(({ x, y }): Lane[] => {
      const width = x > startX + 1 && x < endX - 1 ? widths.get(Math.round(x)) : undefined;
      return width === undefined ? [] : [{ fromX: x - width / 2, toX: x + width / 2, y }];
    });
    if (crossed.length > 0) lanes[laneKey(from, to)] = crossed;
  }
  return lanes;
}

/** Widest node of each column, by the middle of the column in whole px. */
function columnWidths(boxes: readonly Box[], middles: ReadonlyMap<string, Point>): ReadonlyMap<number, number> {
  const widths = new Map<number, number>();
  for (const { id, width } of boxes) {
    const x = Math.round(middles.get(id)?.x ?? 0);
    widths.set(x, Math.max(widths.get(x) ?? 0, width));
  }
  return widths;
}

function pointOf({ x = 0, y = 0 }: { readonly x?: number; readonly y?: number }): Point {
  return { x, y };
}
