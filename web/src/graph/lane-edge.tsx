/** An edge that keeps to its lanes where it passes other cards. */
import { BaseEdge, type Edge, type EdgeProps, getBezierPath } from '@xyflow/react';
import { pathThrough } from './edge-path.ts';
import type { Lane } from './places.ts';

/** An edge with its lanes, left to right. */
export type LaneFlowEdge = Edge<{ readonly lanes: readonly Lane[] }, 'lane'>;

/** The edge as xyflow draws it. */
export function LaneEdge(props: EdgeProps<LaneFlowEdge>) {
  const { sourceX, sourceY, targetX, targetY, data, style, markerEnd } = props;
  const lanes = data?.lanes ?? [];
  const path = lanes.length === 0 ? getBezierPath(props)[0] : pathThrough({ x: sourceX, y: sourceY }, lanes, { x: targetX, y: targetY });
  return <BaseEdge path={path} {...(style && { style })} {...(markerEnd !== undefined && { markerEnd })} />;
}
