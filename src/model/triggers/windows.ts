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

/** By when they occurred; of the same instant in one order for all. */
export function byTime(a: WaitingCause, b: WaitingCause): number {
  return a.at - b.at || Number(a.cause > b.cause) - Number(a.cause < b.cause);
}

/**
 * The earliest set of one occurrence for each source that lie within the window, each the newest of its source until then; null while there is
 * none. Occurrences may be given in any order: what counts is when they occurred. How many sets there are does not depend on how many
 * occurrences are looked at together.
 */
export function completeSet<C extends WaitingCause>(waiting: readonly C[], sources: number, withinMs: number): readonly C[] | null {
  const newest = new Array<C | undefined>(sources).fill(undefined);
  for (const one of waiting.toSorted(byTime)) {
    newest[one.source] = one;
    const set = newest.filter((found) => found !== undefined);
    if (set.length === sources && set.every(({ at }) => one.at - at <= withinMs)) return set;
  }
  return null;
}

/** When a debounce fires that has seen its first and its last then. */
export function debounceDue({ waitMs, maxWaitMs }: NonNullable<TriggerRule['debounce']>, firstAt: number, lastAt: number): number {
  const quiet = lastAt + waitMs;
  return maxWaitMs === null ? quiet : Math.min(quiet, firstAt + maxWaitMs);
}
