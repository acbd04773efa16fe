/** Groups of steps: what runs under a condition, once per item, at the same time, or beside what follows. */
import type { AnyBranch, AnyStep, Any, BackgroundGroup, ForEachGroup, ParallelGroup, WhenGroup } from './step-types.ts';

/** Options of `forEach`. */
export interface ForEachOptions<A extends string = string, I extends string = string> {
  /** Field in which each run of the steps finds its item. */
  readonly as: A;
  /** Field that afterwards holds what the steps gave for each item, in the order of the list. */
  readonly into: I;
  /** How many items are worked on at the same time. Default 1: one after the other. */
  readonly concurrency?: number | undefined;
}

/**
 * Runs steps where a condition holds; else they are Skipped.
 *
 * @param condition asked with the data; after a crash what was recorded of its steps tells, and it is asked again only where nothing was.
 */
export function when<C extends (data: Any) => boolean | Promise<boolean>, const S extends readonly AnyStep[]>(
  condition: C,
  steps: S,
): WhenGroup<C, S> {
  return { group: 'when', condition, steps };
}

/**
 * Runs steps once per item of a list. Each run sees the data with its item in the field `as`; what its steps give becomes one entry of the field
 * `into`. When a step fails for an item no further item is begun.
 *
 * @param list name of a field that holds the list, or a function that gives it
 */
export function forEach<
  const L extends string | ((data: Any) => readonly unknown[]),
  const A extends string,
  const I extends string,
  const S extends readonly AnyStep[],
>(list: L, options: ForEachOptions<A, I>, steps: S): ForEachGroup<L, A, I, S> {
  const { as, into, concurrency = 1 } = options;
  return { group: 'forEach', list, as, into, concurrency, steps };
}

/** Runs steps at the same time, all on the same data; an element that is a list runs as a branch, step by step. What they give is merged in the order of the list. */
export function parallel<const S extends readonly AnyBranch[]>(steps: S): ParallelGroup<S> {
  return { group: 'parallel', steps };
}

/** Runs steps that what follows does not wait for and does not see the fields of. The run ends once they have ended, and fails when one fails. */
export function background<const S extends readonly AnyStep[]>(steps: S): BackgroundGroup<S> {
  return { group: 'background', steps };
}
