/** The critical path of a run: each task on it began when the previous one had ended. Pure; O(nodes + edges). */

export interface TimedNode {
  readonly id: string;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
}

export interface PathEdge {
  readonly from: string;
  readonly to: string;
}

/** Ids on the critical path, first to last: back from the node that ends last, each time to its latest predecessor. Empty if none began. */
export function criticalPath(nodes: readonly TimedNode[], edges: readonly PathEdge[]): readonly string[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const into = new Map<string, string[]>();
  for (const { from, to } of edges) pushTo(into, to, from);
  const began = nodes.filter(({ startedAt }) => startedAt !== null);
  const path: string[] = [];
  const seen = new Set<string>();
  for (let at = latest(began); at !== null && !seen.has(at.id); at = latest((into.get(at.id) ?? []).flatMap((id) => byId.get(id) ?? []))) {
    seen.add(at.id);
    path.push(at.id);
  }
  return path.reverse();
}

/** Ids on the longest path by weight (ms a task usually takes), first to last. Cycles are walked once. */
export function longestPath(ids: readonly string[], edges: readonly PathEdge[], weightOf: (id: string) => number): readonly string[] {
  const onward = new Map<string, string[]>();
  const waitingFor = new Map(ids.map((id) => [id, 0]));
  for (const { from, to } of edges) {
    if (!waitingFor.has(from) || !waitingFor.has(to)) continue;
    pushTo(onward, from, to);
    waitingFor.set(to, (waitingFor.get(to) ?? 0) + 1);
  }
  const best = new Map<string, { readonly weight: number; readonly before: string | null }>();
  const ready = ids.filter((id) => waitingFor.get(id) === 0);
  for (const id of ready) best.set(id, { weight: weightOf(id), before: null });
  for (let at = 0; at < ready.length; at++) {
    const id = ready[at] as string;
    const { weight } = best.get(id) ?? { weight: 0 };
    for (const next of onward.get(id) ?? []) {
      const through = weight + weightOf(next);
      if (through > (best.get(next)?.weight ?? -1)) best.set(next, { weight: through, before: id });
      const left = (waitingFor.get(next) ?? 0) - 1;
      waitingFor.set(next, left);
      if (left === 0) ready.push(next);
    }
  }
  let last: string | null = null;
  for (const [id, { weight }] of best) if (last === null || weight > (best.get(last)?.weight ?? 0)) last = id;
  const path: string[] = [];
  for (let id = last; id !== null; id = best.get(id)?.before ?? null) path.push(id);
  return path.reverse();
}

function latest(nodes: readonly TimedNode[]): TimedNode | null {
  let best: TimedNode | null = null;
  for (const node of nodes) {
    if (node.startedAt === null) continue;
    if (best === null || endOf(node) > endOf(best)) best = node;
  }
  return best;
}

function pushTo(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

/** Running nodes end last. */
function endOf(node: TimedNode): number {
  return node.endedAt ?? Number.POSITIVE_INFINITY;
}
