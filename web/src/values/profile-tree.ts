/** A V8 CPU profile as a tree of functions, and the positions of their boxes in a flame graph. Pure. */

/** A function, as called by those above it. */
export interface Frame {
  readonly name: string;
  /** `file.ts:12`; empty for Node's or V8's own code. */
  readonly place: string;
  readonly url: string;
  /** Time in its own code. */
  readonly selfMs: number;
  /** Time including callees. */
  readonly totalMs: number;
  /** Each function once, slowest first. */
  readonly children: readonly Frame[];
}

export interface FrameBox {
  readonly x: number;
  readonly width: number;
  /** 0 is the outermost. */
  readonly depth: number;
  readonly frame: Frame;
}

interface Node {
  readonly name: string;
  readonly url: string;
  /** From 0; negative if unknown. */
  readonly line: number;
  readonly children: readonly number[];
  readonly hits: number;
}

interface Growing extends Frame {
  selfMs: number;
  totalMs: number;
  children: Growing[];
  readonly parent: Growing | null;
  readonly byKey: Map<string, Growing>;
}

/** Most boxes drawn. */
const mostBoxes = 4_000;
/** The thread had nothing to do. */
const idle = '(idle)';

/**
 * The outermost frame of a profile's tree; null if it is not a valid profile. Calls of the same function by the same caller are one frame,
 * and idle time is left out.
 *
 * @param data the parsed text of a `.cpuprofile` from any source
 */
export function readProfile(data: unknown): Frame | null {
  const nodes = readNodes(field(data, 'nodes'));
  const root = nodes && rootOf(nodes);
  if (nodes === null || root === null) return null;
  const selfMs = selfTimes(data, nodes);
  const top = growing(nodes.get(root), null, 'all');
  top.selfMs = selfMs.get(root) ?? 0;
  const all = [top];
  for (const pending: [number, Growing][] = [[root, top]]; ; ) {
    const [id, frame] = pending.pop() ?? [];
    if (id === undefined || frame === undefined) break;
    for (const child of nodes.get(id)?.children ?? []) {
      const node = nodes.get(child);
      if (node === undefined || node.name === idle) continue;
      const key = `${node.name}|${node.url}|${node.line}`;
      let into = frame.byKey.get(key);
      if (into === undefined) {
        into = growing(node, frame);
        frame.byKey.set(key, into);
        all.push(into);
      }
      into.selfMs += selfMs.get(child) ?? 0;
      pending.push([child, into]);
    }
  }
  // Each comes after its caller.
  for (const frame of all.toReversed()) {
    frame.totalMs += frame.selfMs;
    frame.children = [...frame.byKey.values()].filter(({ totalMs }) => totalMs > 0).sort((a, b) => b.totalMs - a.totalMs);
    if (frame.parent) frame.parent.totalMs += frame.totalMs;
  }
  return top;
}

/** Boxes of a frame and its callees, from the outermost inwards: none narrower than 1 px, at most 4,000. @param width px */
export function layFrames(root: Frame, width: number): readonly FrameBox[] {
  const boxes: FrameBox[] = [];
  if (root.totalMs <= 0 || width < 1) return boxes;
  boxes.push({ x: 0, width, depth: 0, frame: root });
  for (let at = 0; at < boxes.length; at++) {
    const box = boxes[at];
    let x = box?.x ?? 0;
    for (const frame of box?.frame.children ?? []) {
      const its = (width * frame.totalMs) / root.totalMs;
      // The narrower ones follow.
      if (its < 1 || boxes.length === mostBoxes) break;
      boxes.push({ x, width: its, depth: (box?.depth ?? 0) + 1, frame });
      x += its;
    }
  }
  return boxes;
}

/** The functions whose own code took longest, over all callers. */
export function busiest(root: Frame, count: number): readonly Pick<Frame, 'name' | 'place' | 'selfMs'>[] {
  const byFunction = new Map<string, { name: string; place: string; selfMs: number }>();
  for (const pending = [root]; ; ) {
    const frame = pending.pop();
    if (frame === undefined) break;
    const key = `${frame.name}|${frame.url}|${frame.place}`;
    const known = byFunction.get(key);
    if (known) known.selfMs += frame.selfMs;
    else byFunction.set(key, { name: frame.name, place: frame.place, selfMs: frame.selfMs });
    for (const child of frame.children) pending.push(child);
  }
  return [...byFunction.values()]
    .filter(({ selfMs }) => selfMs > 0)
    .sort((a, b) => b.selfMs - a.selfMs)
    .slice(0, count);
}

function growing(node: Node | undefined, parent: Growing | null, name = node?.name ?? ''): Growing {
  const { url = '', line = -1 } = node ?? {};
  const file = url.split(/[/\\]/).at(-1) ?? '';
  const place = file === '' || line < 0 ? file : `${file}:${line + 1}`;
  return { name, place, url, selfMs: 0, totalMs: 0, children: [], parent, byKey: new Map() };
}

/** Nodes by id. Null unless all are valid and each child has only one parent. */
function readNodes(list: unknown): ReadonlyMap<number, Node> | null {
  if (!Array.isArray(list)) return null;
  const nodes = new Map<number, Node>();
  for (const item of list as readonly unknown[]) {
    const [id, call, children = []] = [field(item, 'id'), field(item, 'callFrame'), field(item, 'children')];
    if (typeof id !== 'number' || nodes.has(id) || typeof call !== 'object' || call === null || !areNumbers(children)) return null;
    const [name, url, line, hits] = [field(call, 'functionName'), field(call, 'url'), field(call, 'lineNumber'), field(item, 'hitCount')];
    nodes.set(id, {
      name: typeof name !== 'string' || name === '' ? '(anonymous)' : name,
      url: typeof url === 'string' ? url : '',
      line: typeof line === 'number' ? line : -1,
      children,
      hits: typeof hits === 'number' ? Math.max(0, hits) : 0,
    });
  }
  const called = new Set<number>();
  for (const { children } of nodes.values())
    for (const child of children) {
      if (!nodes.has(child) || called.has(child)) return null;
      called.add(child);
    }
  return nodes;
}

/** The first without a caller. With at most one caller each, nothing below it is cyclic. */
function rootOf(nodes: ReadonlyMap<number, Node>): number | null {
  const called = new Set([...nodes.values()].flatMap(({ children }) => children));
  for (const id of nodes.keys()) if (!called.has(id)) return id;
  return null;
}

/** Time in each node's own code, ms: a sample lasts until the next. Without samples the hit counts are used. */
function selfTimes(data: unknown, nodes: ReadonlyMap<number, Node>): ReadonlyMap<number, number> {
  const [samples, deltas] = [field(data, 'samples'), field(data, 'timeDeltas')];
  const [startUs, endUs] = [field(data, 'startTime'), field(data, 'endTime')];
  const wholeUs = typeof startUs === 'number' && typeof endUs === 'number' ? Math.max(0, endUs - startUs) : 0;
  const times = new Map<number, number>();
  if (areNumbers(samples) && areNumbers(deltas) && samples.length > 0) {
    const lastUs = Math.max(0, wholeUs - deltas.reduce((sum, delta) => sum + delta, 0));
    for (const [at, id] of samples.entries()) {
      // Processor clocks may go back slightly.
      const us = Math.max(0, at === samples.length - 1 ? lastUs : (deltas[at + 1] ?? 0));
      times.set(id, (times.get(id) ?? 0) + us / 1_000);
    }
    return times;
  }
  const allHits = [...nodes.values()].reduce((sum, { hits }) => sum + hits, 0);
  for (const [id, { hits }] of nodes) times.set(id, hits * (wholeUs === 0 ? 1 : wholeUs / 1_000 / allHits));
  return times;
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
}

function areNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number' && Number.isFinite(item));
}
