/** A simple layout for graphs that are too slow with dagre: columns by distance from the start, each ordered by its predecessors. Pure. */
import { type Box, gapPx, type Lane, laneKey, type Layout, type LayoutRequest, type Places } from './places.ts';

/** Ordering passes over the columns, to the right and back. */
const sweeps = 4;
/** Most column crossings routed around nodes; beyond that lines are indistinguishable. */
const mostLanes = 50_000;

/** Number of columns each edge spans, in the order of the edges; at least 1. */
export function spansOf(request: LayoutRequest): readonly number[] {
  const columnOf = columns(request);
  return request.edges.map(({ from, to }) => Math.max(1, (columnOf.get(to) ?? 0) - (columnOf.get(from) ?? 0)));
}

/** Places by column; O(nodes log nodes + edges), and for the lanes O(crossings log nodes). Lanes that cross a column at the same gap share it. */
export function placeInLayers(request: LayoutRequest): Layout {
  const columnOf = columns(request);
  const inColumn: string[][] = [];
  for (const { id } of request.boxes) (inColumn[columnOf.get(id) ?? 0] ??= []).push(id);
  order(inColumn, request);
  const boxOf = new Map(request.boxes.map((box) => [box.id, box]));
  const places: Record<string, { x: number; y: number }> = {};
  let x = 0;
  for (const ids of inColumn) {
    const boxes = (ids ?? []).flatMap((id) => boxOf.get(id) ?? []);
    const height = boxes.reduce((sum, box) => sum + box.height + gapPx.row, -gapPx.row);
    let y = -height / 2;
    for (const box of boxes) {
      places[box.id] = { x, y };
      y += box.height + gapPx.row;
    }
    x += boxes.reduce((widest, { width }) => Math.max(widest, width), 0) + gapPx.column;
  }
  const crossings = spansOf(request).reduce((sum, span) => sum + span - 1, 0);
  return { places, lanes: crossings > mostLanes ? {} : lanesBetween(request, columnOf, places) };
}

/** Each edge that crosses columns uses the gap nearest to the straight line. */
function lanesBetween({ boxes, edges }: LayoutRequest, columnOf: ReadonlyMap<string, number>, places: Places): Layout['lanes'] {
  const gaps = gapsByColumn(boxes, columnOf, places);
  const heightOf = new Map(boxes.map(({ id, height }) => [id, height]));
  const middleOf = (id: string): number => (places[id]?.y ?? 0) + (heightOf.get(id) ?? 0) / 2;
  const lanes: Record<string, readonly Lane[]> = {};
  for (const { from, to } of edges) {
    const [first, last] = [columnOf.get(from) ?? 0, columnOf.get(to) ?? 0];
    const [startY, endY] = [middleOf(from), middleOf(to)];
    const crossed: Lane[] = [];
    for (let column = first + 1; column < last; column++) {
      const gap = gaps.get(column);
      if (gap !== undefined) crossed.push({ ...gap, y: nearest(gap.ys, startY + ((endY - startY) * (column - first)) / (last - first)) });
    }
    if (crossed.length > 0) lanes[laneKey(from, to)] = crossed.map(({ fromX, toX, y }) => ({ fromX, toX, y }));
  }
  return lanes;
}

interface Gaps {
  readonly fromX: number;
  readonly toX: number;
  /** Middles of the gaps above, between and below the nodes, from the top. */
  readonly ys: readonly number[];
}

function gapsByColumn(boxes: readonly Box[], columnOf: ReadonlyMap<string, number>, places: Places): ReadonlyMap<number, Gaps> {
  const columns = new Map<number, { fromX: number; toX: number; ys: number[] }>();
  for (const { id, width, height } of boxes) {
    const { x, y } = places[id] ?? { x: 0, y: 0 };
    const gaps = columns.get(columnOf.get(id) ?? 0) ?? { fromX: x, toX: x, ys: [] };
    gaps.toX = Math.max(gaps.toX, x + width);
    gaps.ys.push(y - gapPx.row / 2, y + height + gapPx.row / 2);
    columns.set(columnOf.get(id) ?? 0, gaps);
  }
  return new Map([...columns].map(([column, gaps]) => [column, { ...gaps, ys: gaps.ys.sort((a, b) => a - b) }]));
}

/** The value nearest to `wanted` in an ascending list; 0 for an empty one. */
function nearest(values: readonly number[], wanted: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  const [before, after] = [values[low - 1], values[low]];
  if (before === undefined || after === undefined) return before ?? after ?? 0;
  return wanted - before < after - wanted ? before : after;
}

function columns({ boxes, edges }: LayoutRequest): ReadonlyMap<string, number> {
  const onward = new Map<string, string[]>();
  const waitingFor = new Map(boxes.map(({ id }) => [id, 0]));
  for (const { from, to } of edges) {
    pushTo(onward, from, to);
    waitingFor.set(to, (waitingFor.get(to) ?? 0) + 1);
  }
  const column = new Map(boxes.map(({ id }) => [id, 0]));
  const ready = boxes.flatMap(({ id }) => (waitingFor.get(id) === 0 ? [id] : []));
  for (let at = 0; at < ready.length; at++) {
    const id = ready[at] as string;
    for (const next of onward.get(id) ?? []) {
      column.set(next, Math.max(column.get(next) ?? 0, (column.get(id) ?? 0) + 1));
      const left = (waitingFor.get(next) ?? 0) - 1;
      waitingFor.set(next, left);
      if (left === 0) ready.push(next);
    }
  }
  return column;
}

function order(inColumn: string[][], { edges }: LayoutRequest): void {
  const [before, after] = [new Map<string, string[]>(), new Map<string, string[]>()];
  for (const { from, to } of edges) {
    pushTo(before, to, from);
    pushTo(after, from, to);
  }
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const forward = sweep % 2 === 0;
    const rank = new Map<string, number>();
    for (const ids of inColumn) for (const [at, id] of (ids ?? []).entries()) rank.set(id, at / (ids.length || 1));
    for (const ids of inColumn) {
      const mean = new Map((ids ?? []).map((id) => [id, meanOf((forward ? before : after).get(id) ?? [], rank) ?? rank.get(id) ?? 0]));
      ids?.sort((a, b) => (mean.get(a) ?? 0) - (mean.get(b) ?? 0));
      if (forward) for (const [at, id] of (ids ?? []).entries()) rank.set(id, at / (ids.length || 1));
    }
  }
}

function meanOf(ids: readonly string[], rank: ReadonlyMap<string, number>): number | null {
  return ids.length === 0 ? null : ids.reduce((sum, id) => sum + (rank.get(id) ?? 0), 0) / ids.length;
}

function pushTo(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}
