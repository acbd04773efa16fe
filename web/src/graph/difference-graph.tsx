/** Two versions of a graph in one: added tasks are green, removed ones struck out, changed ones say how. */
import { useMemo } from 'react';
import type { Card } from './card-node.tsx';
import type { GraphDifference } from './graph-difference.ts';
import { GraphView, type Line } from './graph-view.tsx';

interface DifferenceGraphProps {
  readonly difference: GraphDifference;
  readonly label: string;
}

/** The graph with its differences marked. */
export function DifferenceGraph({ difference, label }: DifferenceGraphProps) {
  const cards = useMemo(
    () =>
      difference.tasks.map(
        ({ name, difference: kind, notes }): Card => ({
          id: name,
          label: name,
          state: null,
          counts: null,
          startedAt: null,
          endedAt: null,
          attempts: 0,
          note: kind === 'same' ? null : kind === 'changed' ? notes.join(' · ') : kind,
          critical: false,
          difference: kind,
        }),
      ),
    [difference],
  );
  const lines = useMemo(
    () =>
      difference.edges.map(
        (edge): Line => ({ from: edge.from, to: edge.to, kind: edge.kind, lit: false, critical: false, difference: edge.difference }),
      ),
    [difference],
  );
  return <GraphView cards={cards} lines={lines} label={label} height="320px" />;
}
