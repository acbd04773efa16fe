/** The graph of a run or a flow as cards and lines. Pure. */
import { criticalPath } from './critical-path.ts';
import type { Card } from './card-node.tsx';
import type { RunGraph } from './graph-model.ts';
import type { Line } from './graph-view.tsx';

/** Cards and lines of a graph; the critical path is marked where something has begun. */
export function cardsOf({ nodes, edges }: RunGraph): { readonly cards: readonly Card[]; readonly lines: readonly Line[] } {
  const path = criticalPath(nodes, edges);
  const at = new Map(path.map((id, place) => [id, place]));
  // A path of one card says nothing.
  const isCritical = (id: string): boolean => path.length > 1 && at.has(id);
  return {
    cards: nodes.map((node) => ({
      id: node.id,
      label: node.label,
      state: node.state,
      counts: node.kind === 'mapped' || node.kind === 'group' ? node.counts : null,
      startedAt: node.startedAt,
      endedAt: node.endedAt,
      attempts: node.attempts,
      note: node.note ?? (node.kind === 'flow' ? 'sub-flow' : null),
      critical: isCritical(node.id),
      progress: node.progress,
    })),
    lines: edges.map((edge) => ({ ...edge, critical: isCritical(edge.from) && at.get(edge.to) === (at.get(edge.from) ?? 0) + 1 })),
  };
}
