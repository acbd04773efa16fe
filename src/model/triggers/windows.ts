/** When windows and debounces end: pure rules over occurrences. Times are UTC epoch ms. */
import type { TriggerRule } from './trigger.ts';

/** One occurrence waiting in a window. */
export interface WaitingCause {
  readonly cause: string;
  /** Index of its source in the rule. */
  readonly source: number;
  /** When it occurred. */
  readonly at: number;
}

/** By time of occurrence; ties have one order for all. */
export function byTime(a: WaitingCause, b: WaitingCause): number {
  return a.at - b.at || Number(a.cause > b.cause) - Number(a.cause < b.cause);
}

/**
 * The earliest set of one occurrence per source within the window, each the newest of its source until then; null if there is none yet. The
 * order of the input does not matter: times of occurrence count. The number of sets does not depend on how many occurrences are checked
 * together.
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

/** When a debounce fires, given its first and last occurrence. */
export function debounceDue({ waitMs, maxWaitMs }: NonNullable<TriggerRule['debounce']>, firstAt: number, lastAt: number): number {
  const quiet = lastAt + waitMs;
  return maxWaitMs === null ? quiet : Math.min(quiet, firstAt + maxWaitMs);
}
