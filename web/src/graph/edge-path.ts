/** The line of an edge that crosses columns of nodes. Pure. */
import type { Lane } from './places.ts';

interface Point {
  readonly x: number;
  readonly y: number;
}

/** An SVG path: level along each lane, to touch no node, and bent only in between. */
export function pathThrough(from: Point, lanes: readonly Lane[], to: Point): string {
  let here = from;
  let path = `M${from.x},${from.y}`;
  for (const { fromX, toX, y } of lanes) {
    path += `${bend(here, { x: fromX, y })}L${toX},${y}`;
    here = { x: toX, y };
  }
  return path + bend(here, to);
}

function bend(from: Point, to: Point): string {
  const middle = (from.x + to.x) / 2;
  return `C${middle},${from.y} ${middle},${to.y} ${to.x},${to.y}`;
}
