/** Layout of a graph: at once for a small one, from a worker for a large one. */
import { useEffect, useMemo, useState } from 'react';
import { mostInPage, placeNodes } from './layout.ts';
import type { Layout, LayoutRequest } from './places.ts';

/** Null while a worker is at it. It is found anew only when nodes or edges come or go. */
export function useLayout(request: LayoutRequest): Layout | null {
  const shape = useMemo(() => shapeOf(request), [request]);
  // oxlint-disable-next-line react/exhaustive-deps -- the shape is what the request says; another request of the same shape changes nothing.
  const stable = useMemo(() => request, [shape]);
  const small = stable.boxes.length <= mostInPage;
  const here = useMemo(() => (small ? placeNodes(stable) : null), [stable, small]);
  const [made, setMade] = useState<{ readonly of: LayoutRequest; readonly layout: Layout } | null>(null);
  useEffect(() => {
    if (small) return;
    const worker = new Worker(new URL('./layout-worker.ts', import.meta.url), { type: 'module' });
    worker.addEventListener('message', ({ data }: MessageEvent<Layout>) => setMade({ of: stable, layout: data }));
    worker.postMessage(stable);
    return () => worker.terminate();
  }, [stable, small]);
  // While a grown graph is laid out anew, what stood there stays.
  return here ?? made?.layout ?? null;
}

function shapeOf({ boxes, edges }: LayoutRequest): string {
  return `${boxes.map(({ id, width, height }) => `${id}:${width}:${height}`).join('\n')}\n\n${edges.map(({ from, to }) => `${from}\t${to}`).join('\n')}`;
}
