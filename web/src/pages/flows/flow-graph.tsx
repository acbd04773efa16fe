/** The graph of a flow before any run, with how long each task usually takes. What draws graphs is loaded when it is needed. */
import { lazy, Suspense } from 'react';
import type { FlowFigures } from '../../../../src/client/fleet-client.ts';
import type { StoredFlow } from '../../../../src/store/store.ts';
import { Empty, LoadingBlock } from '../../parts/notices.tsx';

const StaticGraph = lazy(() => import('../../graph/static-graph.tsx').then((chunk) => ({ default: chunk.StaticGraph })));

/** The graph; a code flow has none before it runs, so its tasks are named. */
export function FlowGraph({ flow, figures }: { readonly flow: StoredFlow; readonly figures: FlowFigures }) {
  if (flow.kind === 'code') {
    return (
      <Empty title="A graph of its own for each run">
        This flow is written as code: which tasks run, and in what order, is decided while it runs. The graph stands on the page of each
        run.
      </Empty>
    );
  }
  return (
    <Suspense fallback={<LoadingBlock height={320} />}>
      <StaticGraph flow={flow.name} graph={flow.graph} tasks={figures.tasks} />
    </Suspense>
  );
}
