/** Groups of steps: under a condition, once per item, at the same time, or in the background. */
import type { AnyBranch, AnyStep, Any, BackgroundGroup, ForEachGroup, ParallelGroup, WhenGroup } from './step-types.ts';

/** Options of `forEach`. */
export interface ForEachOptions<A extends string = string, I extends string = string> {
  /** Field that holds the item in each run of the steps. */
  readonly as: A;
  /** Field for the steps' results per item, in list order. */
  readonly into: I;
  /** Items in progress at the same time. Default 1: one after the other. */
  readonly concurrency?: number | undefined;
}

/**
 * Runs steps if a condition holds; else they are Skipped.
 *
 * @param condition called with the data; after a crash the record of its steps decides, and it is called again only if there is none
 */
export function when<C extends (data: Any) => boolean | Promise<boolean>, const S extends readonly AnyStep[]>(
  condition: C,
  steps: S,
): WhenGroup<C, S> {
  return { group: 'when', condition, steps };
}

/**
 * Runs steps once per item of a list. Each run sees the data with its item in the field `as`; their results become one entry of the field
 * `into`. Once a step fails for an item, no further one begins.
 *
 * @param list name of a field with the list, or a function that returns it
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

/**
 * Runs steps at the same time, all on the same data; an element that is a list runs as a branch, step by step. Their results are merged in
 * list order.
 */
export function parallel<const S extends readonly AnyBranch[]>(steps: S): ParallelGroup<S> {
  return { group: 'parallel', steps };
}

/**
 * Runs steps in the background, without waiting or adding fields for what follows. The run ends once they have ended, and fails if one
 * fails.
 */
export function background<const S extends readonly AnyStep[]>(steps: S): BackgroundGroup<S> {
  return { group: 'background', steps };
}
