/** A task as the engine sees it: checked data, made from a decorated method by `define`. */
import type { CachePolicy } from './cache.ts';
import type { Middleware } from './middleware.ts';
import type { AnyResource } from './resource.ts';
import type { RetryPolicy } from './retry.ts';

/**
 * What the tasks before it must have come to for a task to run. Looked at once they all are terminal.
 *
 * `allSucceeded` a failed one makes it UpstreamFailed, a skipped one Skipped · `allDone` always · `anySucceeded`
 * at least one succeeded · `anyFailed` at least one failed, else Skipped · `noneFailed` skipped ones are fine.
 */
export const triggers = ['allSucceeded', 'allDone', 'anySucceeded', 'anyFailed', 'noneFailed'] as const;
export type Trigger = (typeof triggers)[number];

/** Everything known of one task of a flow. Read-only, made once per class. */
export interface TaskDefinition {
  /** The method's name; unique in its flow. */
  readonly name: string;
  readonly description: string | null;
  readonly version: string | null;
  readonly tags: readonly string[];
  /** Tasks whose results are its arguments, in this order. */
  readonly needs: readonly string[];
  /** Tasks that must come before it without giving data. */
  readonly after: readonly string[];
  /** Task whose list it runs once per item of; the item is its first argument. */
  readonly each: string | null;
  /** How many items run at the same time; null is all. */
  readonly eachLimit: number | null;
  /** Called with the task's arguments and context; false makes it Skipped. */
  readonly when: ((...args: readonly unknown[]) => boolean | Promise<boolean>) | null;
  readonly trigger: Trigger;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number | null;
  /** Higher starts first where tasks wait for a place; 0 is normal. */
  readonly priority: number;
  /** How many places it takes: of the tasks of its run, of the threads or processes of its process, and of a worker when it is spread; from 1. */
  readonly slots: number;
  /** Where its method runs: a thread or a process of its own, or null: the thread of its run. */
  readonly isolate: 'thread' | 'process' | null;
  /** Most memory of that thread (its heap) or process (all of it), bytes; null: no limit of its own. */
  readonly memoryBytes: number | null;
  /** Whether a CPU profile of each attempt is kept. */
  readonly profile: boolean;
  /** Whether any worker may execute it, apart from its run. */
  readonly spread: boolean;
  /** Queue whose workers execute it when it is spread; null: that of its run. */
  readonly queue: string | null;
  /** The resource in whose transaction it works, so that it takes effect once; null for none. */
  readonly transaction: AnyResource | null;
  /** False keeps the result in memory only; such a task runs again after a crash. */
  readonly persist: boolean;
  /** Whether and for how long its values are taken instead of being made again; null: never. */
  readonly cache: CachePolicy | null;
  /** What undoes it when its run ends badly: called with its result and a context, with options of its own. Null: nothing does. */
  readonly rollback: TaskDefinition | null;
  /** Runs around it, outermost first, inside of that of its flow. */
  readonly middleware: readonly Middleware[];
  /** Records between it and each task that takes its stream; null: 256. */
  readonly buffer: number | null;
  /** The share of the records of a stream that it may reject, once there are so many; null: any. */
  readonly maxErrorRate: { readonly share: number; readonly from: number } | null;
  /** Name of a task run for people: a template over params, or a function. Null: the task's name. */
  readonly runName: string | ((args: readonly unknown[]) => string) | null;
  /** The method as it was written, without the wrapper that the decorator put around it. */
  readonly method: (this: object, ...args: unknown[]) => unknown;
}
