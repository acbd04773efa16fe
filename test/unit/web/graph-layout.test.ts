import { describe, expect, it } from 'vitest';
import { pathThrough } from '../../../web/src/graph/edge-path.ts';
import { placeInLayers } from '../../../web/src/graph/layer-layout.ts';
import { placeNodes } from '../../../web/src/graph/layout.ts';
import { boundsOf, laneKey, type Layout, type LayoutRequest } from '../../../web/src/graph/places.ts';

const width = 196;

/** `a>b c>d …`, with nodes in the order they are named; every third one higher. */
function requestOf(text: string): LayoutRequest {
  const edges = text.split(' ').map((pair) => {
    const [from = '', to = ''] = pair.split('>');
    return { from, to };
  });
  const ids = [...new Set(edges.flatMap(({ from, to }) => [from, to]))];
  return { boxes: ids.map((id, at) => ({ id, width, height: at % 3 === 0 ? 80 : 52 })), edges };
}

/** The same numbers each time, from 0 up to but not including 1. */
function chance(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

function anyGraph(seed: number, nodes: number, edges: number): LayoutRequest {
  const random = chance(seed);
  const pairs = Array.from({ length: edges }, () => {
    const to = 1 + Math.floor(random() * (nodes - 1));
    return `n${Math.floor(random() * to)}>n${to}`;
  });
  return requestOf([...new Set(pairs)].join(' '));
}

/** Edges that are drawn behind a node which is not their own. */
function hiddenEdges({ boxes, edges }: LayoutRequest, { places, lanes }: Layout): readonly string[] {
  const boxOf = new Map(boxes.map((box) => [box.id, { ...box, ...(places[box.id] ?? { x: 0, y: 0 }) }]));
  return edges.flatMap(({ from, to }) => {
    const [start, end] = [boxOf.get(from), boxOf.get(to)];
    if (start === undefined || end === undefined) return [`${from}>${to} is not placed`];
    const line = pathPoints(
      pathThrough({ x: start.x + start.width, y: start.y + start.height / 2 }, lanes[laneKey(from, to)] ?? [], {
        x: end.x,
        y: end.y + end.height / 2,
      }),
    );
    const over = [...boxOf.values()].filter(
      ({ id, x, y, height }) =>
        id !== from && id !== to && line.some((point) => point.x > x + 1 && point.x < x + width - 1 && point.y > y && point.y < y + height),
    );
    return over.map(({ id }) => `${from}>${to} behind ${id}`);
  });
}

/** Many points along a path of M, C and L, as an SVG would draw it. */
function pathPoints(path: string): readonly { readonly x: number; readonly y: number }[] {
  let here = { x: 0, y: 0 };
  return [...path.matchAll(/([MCL])([^MCL]+)/g)].flatMap(([, command = '', numbers = '']) => {
    const at = numbers.split(/[ ,]/).map(Number);
    const end = { x: at.at(-2) ?? 0, y: at.at(-1) ?? 0 };
    const [first, second] = command === 'C' ? [point(at, 0), point(at, 2)] : [here, end];
    const start = command === 'M' ? end : here;
    here = end;
    return Array.from({ length: 41 }, (_, step) => along(step / 40, command === 'M' ? [end, end, end, end] : [start, first, second, end]));
  });
}

function point(numbers: readonly number[], from: number) {
  return { x: numbers[from] ?? 0, y: numbers[from + 1] ?? 0 };
}

function along(t: number, points: readonly { readonly x: number; readonly y: number }[]) {
  const weights = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t ** 3];
  const sum = (axis: 'x' | 'y'): number => points.reduce((total, at, index) => total + at[axis] * (weights[index] ?? 0), 0);
  return { x: sum('x'), y: sum('y') };
}

describe('layout', () => {
  it('puts each node right of what it waits for, none over another', () => {
    const request = requestOf('a>b a>c b>d c>d');
    const { places } = placeNodes(request);
    for (const { from, to } of request.edges) expect(places[from]?.x).toBeLessThan(places[to]?.x ?? 0);
    expect(Math.abs((places['b']?.y ?? 0) - (places['c']?.y ?? 0))).toBeGreaterThanOrEqual(52);
  });

  it('leads an edge that skips a column past the card there', () => {
    const request = requestOf('flights>delays airports>delays delays>write delays>report write>report');
    const layout = placeNodes(request);
    expect(Object.keys(layout.lanes)).toEqual([laneKey('delays', 'report')]);
    expect(hiddenEdges(request, layout)).toEqual([]);
    expect(hiddenEdges(request, { ...layout, lanes: {} })).toEqual(['delays>report behind write']);
  });

  it.each([
    ['few nodes', 12, 20],
    ['more nodes', 70, 110],
    ['many edges', 30, 140],
  ])('draws no edge behind a card: %s', (_what, nodes, edges) => {
    for (let seed = 1; seed <= 4; seed++) {
      const request = anyGraph(seed, nodes, edges);
      expect(hiddenEdges(request, placeNodes(request)), `graph ${seed}`).toEqual([]);
      expect(hiddenEdges(request, placeInLayers(request)), `graph ${seed} in plain layers`).toEqual([]);
    }
  });

  it('an edge that goes back has no lanes', () => {
    const { lanes } = placeNodes(requestOf('a>b b>c c>d d>a'));
    expect(lanes[laneKey('d', 'a')]).toBeUndefined();
  });

  it('takes up what nodes and lanes need together', () => {
    const boxes = [{ id: 'a', width: 10, height: 20 }];
    expect(boundsOf({ places: { a: { x: 5, y: 5 } }, lanes: { other: [{ fromX: 0, toX: 30, y: 40 }] } }, boxes)).toEqual({
      x: 0,
      y: 5,
      width: 30,
      height: 35,
    });
    expect(boundsOf({ places: {}, lanes: {} }, [])).toEqual({ x: 0, y: 0, width: 0, height: 0 });
  });
});
