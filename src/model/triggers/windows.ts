/** When windows and debounces are over: pure rules over what has occurred. Times are UTC epoch ms. */
import type { TriggerRule } from './trigger.ts';

/** One occurrence that waits in a window. */
export interface WaitingCause {
  readonly cause: string;
  /** Place of its source in the rule, from 0. */
  readonly source: number;
  /** When it occurred. */
  readonly at: number;
}

/**
 * The newest set of one occurrence for each source that lie within the window; null while there is none. Occurrences may come in any
 * order: what counts is when they occurred.
 */
export function completeSet<C extends WaitingCause>(waiting: readonly C[], sources: number, withinMs: number): readonly C[] | null {
  const sorted = [...waiting].sort((a, b) => a.at - b.at || (a.cause < b.cause ? -1 : 1));
  const newest = new Array<C | undefined>(sources).fill(undefined);
  let best: readonly C[] | null = null;
  for (const one of sorted) {
    newest[one.source] = one;
    const set = newest.filter((found) => found !== undefined);
    if (set.length === sources && set.every(({ at }) => one.at - at <= withinMs)) best = set;
  }
  return best;
}

/** When a debounce fires that has seen its first and its last then. */
export function debounceDue({ waitMs, maxWaitMs }: NonNullable<TriggerRule['debounce']>, firstAt: number, lastAt: number): number {
  const quiet = lastAt + waitMs;
  return maxWaitMs === null ? quiet : Math.min(quiet, firstAt + maxWaitMs);
}
