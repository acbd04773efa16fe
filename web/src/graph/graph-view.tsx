/** A graph, drawn left to right: cards for nodes, lines that light up where data has passed, the critical path thick. */
import {
  Background,
  BackgroundVariant,
  BaseEdge,
  Controls,
  type Edge,
  type EdgeProps,
  getBezierPath,
  getViewportForBounds,
  MarkerType,
  MiniMap,
  type Node,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
  useStore,
} from '@xyflow/react';
import '@xyflow/react/dist/base.css';
import { useEffect, useMemo, useState } from 'react';
import { LoadingBlock } from '../parts/notices.tsx';
import { lookOf } from '../parts/state.ts';
import { type Card, CardNode, cardSize } from './card-node.tsx';
import { pathThrough } from './edge-path.ts';
import style from './graph-view.module.css';
import { mostInPage, placeNodes } from './layout.ts';
import { boundsOf, type Lane, laneKey, type Layout, type LayoutRequest, type Places } from './places.ts';

/** A line between two cards. */
export interface Line {
  readonly from: string;
  readonly to: string;
  /** `each`: one to many. `order`, no data passes, and `undo` are drawn dashed. */
  readonly kind: 'data' | 'each' | 'order' | 'undo';
  readonly lit: boolean;
  readonly critical: boolean;
  readonly difference?: 'same' | 'added' | 'removed';
}

interface GraphViewProps {
  readonly cards: readonly Card[];
  readonly lines: readonly Line[];
  /** What the graph shows, for screen readers. */
  readonly label: string;
  readonly selected?: string | null;
  /** Null if nothing can be selected. */
  readonly onSelect?: ((id: string | null) => void) | null;
  readonly height?: string;
}

type CardFlowNode = Node<
  { readonly card: Card; readonly selected: boolean; readonly onSelect: ((id: string | null) => void) | null },
  'card'
>;

const nodeTypes = { card: CardNode };
const edgeTypes = { lane: LaneEdge };
/** Least height of the frame; a small graph has a frame of its own size. */
const leastFramePx = 260;
const roomPx = 48;
/** A graph with more nodes gets a minimap. */
const mapFrom = 50;

/** The graph in a frame that can be panned and zoomed. */
export function GraphView(props: GraphViewProps) {
  return (
    <ReactFlowProvider>
      <Drawing {...props} />
    </ReactFlowProvider>
  );
}

function Drawing({ cards, lines, label, selected = null, onSelect = null, height }: GraphViewProps) {
  const request = useMemo(
    () => ({ boxes: cards.map((card) => ({ id: card.id, ...cardSize(card) })), edges: lines.map(({ from, to }) => ({ from, to })) }),
    [cards, lines],
  );
  const layout = useLayout(request);
  const nodes = useMemo(
    () => (layout === null ? [] : nodesOf(cards, layout.places, selected, onSelect)),
    [cards, layout, selected, onSelect],
  );
  const edges = useMemo(() => (layout === null ? [] : lines.map((line) => edgeOf(line, layout))), [lines, layout]);
  const bounds = useMemo(() => (layout === null ? null : boundsOf(layout, request.boxes)), [layout, request]);
  if (bounds === null) return <LoadingBlock height={420} />;
  const framePx = Math.max(leastFramePx, bounds.height + 2 * roomPx);
  return (
    <div className={style.frame} style={{ height: height ?? `min(${framePx}px, 62vh)` }} role="region" aria-label={label}>
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        onlyRenderVisibleElements={cards.length > mapFrom}
        minZoom={0.05}
        maxZoom={1.5}
        zoomOnScroll={false}
        panOnScroll={false}
        preventScrolling={false}
        zoomActivationKeyCode={['Control', 'Meta']}
        proOptions={{ hideAttribution: true }}
        onPaneClick={() => onSelect?.(null)}
      >
        <Background variant={BackgroundVariant.Dots} gap={20} size={1} color="var(--line)" />
        <Controls orientation="horizontal" showInteractive={false} fitViewOptions={fit} className={style.controls ?? ''} />
        {cards.length > mapFrom ? (
          <MiniMap<CardFlowNode>
            pannable
            zoomable
            ariaLabel="Map of the whole graph"
            className={style.map ?? ''}
            nodeColor={({ data: { card } }) => (card.state === null ? 'var(--line-strong)' : `var(--state-${lookOf(card.state).tone})`)}
            maskColor="color-mix(in srgb, var(--ground) 70%, transparent)"
            bgColor="var(--ground-soft)"
          />
        ) : null}
        <FitAgain bounds={bounds} />
      </ReactFlow>
    </div>
  );
}

const fit = { padding: 0.08, maxZoom: 1, minZoom: 0.05 };
/** At a smaller zoom nothing is readable; then the beginning is shown instead of the whole. */
const leastReadable = 0.65;
const startZoom = 0.8;

/** Shows the whole when the graph's shape changes, or its beginning if the whole would be too small to read. */
function FitAgain({ bounds }: { readonly bounds: ReturnType<typeof boundsOf> }) {
  const { setViewport } = useReactFlow();
  const width = useStore((state) => state.width);
  const height = useStore((state) => state.height);
  useEffect(() => {
    if (width === 0 || height === 0) return;
    // The new nodes are there in the next frame.
    const frame = requestAnimationFrame(() => {
      const whole = Math.min(width / bounds.width, height / bounds.height);
      if (whole >= leastReadable)
        return void setViewport(getViewportForBounds(bounds, width, height, fit.minZoom, fit.maxZoom, fit.padding));
      const isTall = bounds.height * startZoom > height;
      const y = isTall ? 16 - bounds.y * startZoom : height / 2 - (bounds.y + bounds.height / 2) * startZoom;
      void setViewport({ x: 24 - bounds.x * startZoom, y, zoom: startZoom });
    });
    return () => cancelAnimationFrame(frame);
  }, [bounds, width, height, setViewport]);
  return null;
}

function nodesOf(
  cards: readonly Card[],
  places: Places,
  selected: string | null,
  onSelect: ((id: string | null) => void) | null,
): CardFlowNode[] {
  return cards.flatMap((card) => {
    const position = places[card.id];
    return position
      ? [{ id: card.id, type: 'card' as const, position, ...cardSize(card), data: { card, selected: card.id === selected, onSelect } }]
      : [];
  });
}

function edgeOf({ from, to, kind, lit, critical, difference = 'same' }: Line, { lanes }: Layout): LaneFlowEdge {
  const colour =
    difference === 'added'
      ? 'var(--state-completed)'
      : difference === 'removed'
        ? 'var(--state-failed)'
        : critical || lit
          ? 'var(--ink-soft)'
          : 'var(--line-strong)';
  return {
    id: `${from}\n${to}\n${kind}`,
    type: 'lane',
    data: { lanes: lanes[laneKey(from, to)] ?? [] },
    source: from,
    target: to,
    style: {
      stroke: colour,
      strokeWidth: critical ? 3 : lit ? 1.6 : 1,
      ...(kind === 'order' || kind === 'undo' || difference === 'removed' ? { strokeDasharray: '5 4' } : {}),
    },
    markerEnd: { type: MarkerType.ArrowClosed, color: colour, width: critical ? 10 : 14, height: critical ? 10 : 14 },
  };
}

/** An edge with its lanes, left to right. */
export type LaneFlowEdge = Edge<{ readonly lanes: readonly Lane[] }, 'lane'>;

/** The edge as xyflow draws it. */
export function LaneEdge(props: EdgeProps<LaneFlowEdge>) {
  const { sourceX, sourceY, targetX, targetY, data, style, markerEnd } = props;
  const lanes = data?.lanes ?? [];
  const path = lanes.length === 0 ? getBezierPath(props)[0] : pathThrough({ x: sourceX, y: sourceY }, lanes, { x: targetX, y: targetY });
  return <BaseEdge path={path} {...(style && { style })} {...(markerEnd !== undefined && { markerEnd })} />;
}

/** Null while a worker computes it. Recomputed only when nodes or edges come or go. */
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
  // While a grown graph is laid out again, the old layout stays.
  return here ?? made?.layout ?? null;
}

function shapeOf({ boxes, edges }: LayoutRequest): string {
  return `${boxes.map(({ id, width, height }) => `${id}:${width}:${height}`).join('\n')}\n\n${edges.map(({ from, to }) => `${from}\t${to}`).join('\n')}`;
}
