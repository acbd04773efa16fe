/** A stored graph drawn without a run: its critical path is the one that usually takes longest. */
import { useMemo } from 'react';
import type { Figures } from '../../../src/client/fleet-client.ts';
import { durationText, percentText } from '../parts/format.ts';
import { longestPath } from './critical-path.ts';
import { graphOfFlow } from './graph-model.ts';
import { GraphView, type Line } from './graph-view.tsx';
import type { Card } from './card-node.tsx';
import { drawable } from './group-graph.ts';
import { readStoredGraph } from './stored-graph.ts';

interface StaticGraphProps {
  readonly flow: string;
  readonly graph: unknown;
  /** Figures of its tasks, if any. */
  readonly tasks: readonly Figures[];
}

/** Cards with the usual duration and failure rate. */
export function StaticGraph({ flow, graph, tasks }: StaticGraphProps) {
  const { cards, lines } = useMemo(() => staticCards(graph, tasks), [graph, tasks]);
  return <GraphView cards={cards} lines={lines} label={`Graph of ${flow}`} />;
}

function staticCards(graph: unknown, tasks: readonly Figures[]): { readonly cards: readonly Card[]; readonly lines: readonly Line[] } {
  const stored = readStoredGraph(graph);
  const figureOf = new Map(tasks.map((figures) => [figures.name, figures]));
  const { graph: drawn } = drawable(graphOfFlow(stored, []));
  const path = longestPath(
    drawn.nodes.map(({ id }) => id),
    drawn.edges,
    (id) => figureOf.get(id)?.p50Ms ?? 0,
  );
  const known = tasks.length > 0 && path.length > 1;
  const at = new Map(path.map((id, place) => [id, place]));
  const isCritical = (id: string): boolean => known && at.has(id);
  return {
    cards: drawn.nodes.map((node) => ({
      id: node.id,
      label: node.label,
      state: null,
      counts: null,
      startedAt: null,
      endedAt: null,
      attempts: 0,
      note: [figureText(figureOf.get(node.id)), node.note].filter((part) => part !== null).join(' · ') || null,
      critical: isCritical(node.id),
    })),
    lines: drawn.edges.map((edge) => ({
      ...edge,
      lit: false,
      critical: isCritical(edge.from) && at.get(edge.to) === (at.get(edge.from) ?? 0) + 1,
    })),
  };
}

function figureText(figures: Figures | undefined): string | null {
  if (figures === undefined || figures.runs === 0) return null;
  const failed = figures.failures === 0 ? '' : `, ${percentText(figures.failures / figures.runs)} failed`;
  return `${durationText(figures.p50Ms)}${failed}`;
}
