/** Lays out large graphs in a worker, so that the page never freezes. */
import { placeNodes } from './layout.ts';
import type { LayoutRequest } from './places.ts';

addEventListener('message', ({ data }: MessageEvent<LayoutRequest>) => {
  postMessage(placeNodes(data));
});
