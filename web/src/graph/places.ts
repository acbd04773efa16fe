/** What is asked of a layout, and what it gives. */

/** Between nodes, px. */
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

/** Left upper corner of each node, px, by id. */
export type Places = Readonly<Record<string, { readonly x: number; readonly y: number }>>;
