/** Request and result of a layout. */

/** Gaps between nodes, px. */
export const gapPx = { row: 20, column: 56 } as const;

export interface Box {
  readonly id: string;
  readonly width: number;
  readonly height: number;
}

export interface LayoutRequest {
  readonly boxes: readonly Box[];
  readonly edges: readonly { readonly from: string; readonly to: string }[];
}

/** Top left corner of each node, px, by id. */
export type Places = Readonly<Record<string, { readonly x: number; readonly y: number }>>;

/** A level stretch on which an edge crosses a column of nodes without touching one, px. */
export interface Lane {
  readonly fromX: number;
  readonly toX: number;
  readonly y: number;
}

export interface Layout {
  readonly places: Places;
  /** By `laneKey`, left to right; only of edges that cross a column. */
  readonly lanes: Readonly<Record<string, readonly Lane[]>>;
}

/** Key of an edge's lanes. */
export function laneKey(from: string, to: string): string {
  return `${from}\n${to}`;
}

/** Bounding box of nodes and lanes, px; empty without nodes. */
export function boundsOf({ places, lanes }: Layout, boxes: readonly Box[]) {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  const take = (fromX: number, toX: number, fromY: number, toY: number): void => {
    left = Math.min(left, fromX);
    right = Math.max(right, toX);
    top = Math.min(top, fromY);
    bottom = Math.max(bottom, toY);
  };
  for (const { id, width, height } of boxes) {
    const place = places[id];
    if (place !== undefined) take(place.x, place.x + width, place.y, place.y + height);
  }
  if (left > right) return { x: 0, y: 0, width: 0, height: 0 };
  for (const of of Object.values(lanes)) for (const { fromX, toX, y } of of) take(fromX, toX, y, y);
  return { x: left, y: top, width: right - left, height: bottom - top };
}
