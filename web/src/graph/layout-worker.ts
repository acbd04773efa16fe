/** Lays large graphs out beside the page, so that it never stands still. */
import { placeNodes } from './layout.ts';
import type { LayoutRequest } from './places.ts';

addEventListener('message', ({ data }: MessageEvent<LayoutRequest>) => {
  postMessage(placeNodes(data));
});
