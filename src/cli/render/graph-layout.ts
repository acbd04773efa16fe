/**
 * Places a graph in columns and rows: each task one column right of what it waits for, rows chosen so that few lines cross.
 *
 * Longest-path layers, long edges split into steps through empty places, order by the mean of the neighbours, rows by least movement
 * that keeps the order. Source: Sugiyama, Tagawa, Toda (1981), "Methods for visual understanding of hierarchical system structures".
 */
import type { Edge } from '../../model/graph.ts';

/** A node, or a place that a long line passes through. */
export interface Place {
  /** Null if a line passes through. */
  readonly name: string | null;
  readonly layer: number;
  row: number;
  readonly before: Place[];
  readonly after: Place[];
}

/** Columns of places from left to right, each from top to bottom. */
export type Layers = readonly (readonly Place[])[];

const sweeps = 8;

/** Lays out a graph. `nodes` are in topological order: each after all it waits for; `gap` is the least distance between rows. */
export function layOut(nodes: readonly string[], edges: readonly Pick<Edge, 'from' | 'to'>[], gap: number): Layers {
  const layers = order(placesOf(nodes, edges));
  assignRows(layers, gap);
  return layers;
}

function placesOf(nodes: readonly string[], edges: readonly Pick<Edge, 'from' | 'to'>[]): Place[][] {
  const layerOf = layersOf(nodes, edges);
  const layers: Place[][] = [];
  const place = (name: string | null, layer: number): Place => {
    const made: Place = { name, layer, row: 0, before: [], after: [] };
    (layers[layer] ??= []).push(made);
    return made;
  };
  const byName = new Map(nodes.map((name) => [name, place(name, layerOf.get(name) ?? 0)]));
  const targetsOf = groupBy(uniqueEdges(edges), (edge) => edge.from);
  for (const [from, outward] of targetsOf) {
    let at = byName.get(from);
    const targets = outward.flatMap((edge) => byName.get(edge.to) ?? []);
    const last = Math.max(...targets.map((target) => target.layer));
    while (at && at.layer < last) {
      const here: Place = at;
      for (const target of targets) if (target.layer === here.layer + 1) link(here, target);
      at = here.layer + 1 < last ? place(null, here.layer + 1) : undefined;
      if (at) link(here, at);
    }
  }
  return layers;
}

/** Column of each node: one right of the last it waits for; a node that waits for nothing is just left of the first that needs it. */
function layersOf(nodes: readonly string[], edges: readonly Pick<Edge, 'from' | 'to'>[]): Map<string, number> {
  const inward = groupBy(edges, (edge) => edge.to);
  const outward = groupBy(edges, (edge) => edge.from);
  const layerOf = new Map<string, number>();
  for (const name of nodes) layerOf.set(name, Math.max(-1, ...(inward.get(name) ?? []).map((edge) => layerOf.get(edge.from) ?? 0)) + 1);
  for (const name of nodes) {
    const targets = outward.get(name) ?? [];
    if (!inward.has(name) && targets.length > 0) layerOf.set(name, Math.min(...targets.map((edge) => layerOf.get(edge.to) ?? 1)) - 1);
  }
  return layerOf;
}

function uniqueEdges(edges: readonly Pick<Edge, 'from' | 'to'>[]): Pick<Edge, 'from' | 'to'>[] {
  return [...new Map(edges.map((edge) => [`${edge.from}\n${edge.to}`, edge])).values()];
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

function link(from: Place, to: Place): void {
  from.after.push(to);
  to.before.push(from);
}

function order(layers: Place[][]): Place[][] {
  let best = layers.map((layer) => [...layer]);
  let fewest = crossingsOf(best);
  let current = best;
  for (let sweep = 0; sweep < sweeps && fewest > 0; sweep++) {
    current = sweepOnce(current, sweep % 2 === 0 ? 'before' : 'after');
    const crossings = crossingsOf(current);
    if (crossings >= fewest) continue;
    best = current;
    fewest = crossings;
  }
  return best;
}

function sweepOnce(layers: readonly (readonly Place[])[], side: 'before' | 'after'): Place[][] {
  const indexes = new Map<Place, number>();
  const sorted = layers.map((layer) => [...layer]);
  const walk = side === 'before' ? sorted : sorted.toReversed();
  for (const layer of walk) {
    const wish = new Map(
      layer.map((place, at) => [place, place[side].length === 0 ? at : mean(place[side].map((other) => indexes.get(other) ?? 0))]),
    );
    layer.sort((a, b) => (wish.get(a) ?? 0) - (wish.get(b) ?? 0));
    for (const [at, place] of layer.entries()) indexes.set(place, at);
  }
  return sorted;
}

function crossingsOf(layers: Layers): number {
  let count = 0;
  for (const layer of layers) {
    const next = new Map((layers[(layer[0]?.layer ?? 0) + 1] ?? []).map((place, at) => [place, at]));
    const lines = layer.flatMap((place, from) => place.after.map((to) => [from, next.get(to) ?? 0] as const));
    for (const [at, [from, to]] of lines.entries())
      for (const [otherFrom, otherTo] of lines.slice(at + 1)) if ((from - otherFrom) * (to - otherTo) < 0) count++;
  }
  return count;
}

function assignRows(layers: Layers, gap: number): void {
  for (const layer of layers) for (const [at, place] of layer.entries()) place.row = at * gap;
  for (const side of ['before', 'after', 'before', 'after'] as const) {
    for (const layer of side === 'before' ? layers : layers.toReversed()) settleRows(layer, side, gap);
  }
  const top = Math.min(...layers.flat().map((place) => place.row));
  for (const place of layers.flat()) place.row -= top;
}

/** Moves the places of a layer towards the middle of their neighbours, within the order and the gap. */
function settleRows(layer: readonly Place[], side: 'before' | 'after', gap: number): void {
  const blocks: { sum: number; count: number }[] = [];
  for (const [at, place] of layer.entries()) {
    const neighbours = place[side].length > 0 ? place[side] : null;
    blocks.push({ sum: (neighbours ? mean(neighbours.map((other) => other.row)) : place.row) - at * gap, count: 1 });
    for (
      let last = blocks.at(-1), previous = blocks.at(-2);
      last && previous && previous.sum / previous.count > last.sum / last.count;
      last = blocks.at(-1), previous = blocks.at(-2)
    ) {
      blocks.pop();
      previous.sum += last.sum;
      previous.count += last.count;
    }
  }
  const shifts = blocks.flatMap((block) => Array.from({ length: block.count }, () => Math.round(block.sum / block.count)));
  for (const [at, place] of layer.entries()) place.row = (shifts[at] ?? 0) + at * gap;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
