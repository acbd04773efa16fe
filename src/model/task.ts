/** A task as the engine sees it: checked data, made from a decorated method by `define`. */
import type { CachePolicy } from './cache.ts';
import type { Middleware } from './middleware.ts';
import type { AnyResource } from './resource.ts';
import type { RetryPolicy } from './retry.ts';

/**
 * Required outcomes of the tasks before it for a task to run. Checked once they are all terminal.
 *
 * `allSucceeded` a failed one makes it UpstreamFailed, a skipped one Skipped · `allDone` always · `anySucceeded` at least one succeeded ·
 * `anyFailed` at least one failed, else Skipped · `noneFailed` skipped ones are fine.
 */
export const triggers = ['allSucceeded', 'allDone', 'anySucceeded', 'anyFailed', 'noneFailed'] as const;
export type Trigger = (typeof triggers)[number];

/** All facts about one task of a flow. Read-only, made once per class. */
export interface TaskDefinition {
  /** The method's name; unique in its flow. */
  readonly name: string;
  readonly description: string | null;
  readonly version: string | null;
  readonly tags: readonly string[];
  /** Tasks whose results are its arguments, in this order. */
  readonly needs: readonly string[];
  /** Tasks that must precede it without passing data. */
  readonly after: readonly string[];
  /** Task whose list it runs over, once per item, passed as first argument. */
  readonly each: string | null;
  /** Concurrent items; null is all. */
  readonly eachLimit: number | null;
  /** Called with the task's arguments and context; false makes it Skipped. */
  readonly when: ((...args: readonly unknown[]) => boolean | Promise<boolean>) | null;
  readonly trigger: Trigger;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number | null;
  /** Higher starts first among those awaiting a place; 0 is normal. */
  readonly priority: number;
  /** How many places it takes: of its run's tasks, of its process's threads or processes, and of a worker if spread; from 1. */
  readonly slots: number;
  /** Where its method runs: in its own thread or process, or null: in its run's thread. */
  readonly isolate: 'thread' | 'process' | null;
  /** Memory limit of that thread (its heap) or process (all of it), bytes; null: none of its own. */
  readonly memoryBytes: number | null;
  /** Whether to keep a CPU profile of each attempt. */
  readonly profile: boolean;
  /** Whether any worker may execute it, apart from its run. */
  readonly spread: boolean;
  /** Queue whose workers execute it if spread; null: its run's. */
  readonly queue: string | null;
  /** The resource in whose transaction it works, for effects that happen once; null for none. */
  readonly transaction: AnyResource | null;
  /** False keeps the result in memory only; such a task runs again after a crash. */
  readonly persist: boolean;
  /** Whether and how long its values are reused; null: never. */
  readonly cache: CachePolicy | null;
  /** Undoes it if its run ends badly: called with its result and a context, with its own options. Null: no undo. */
  readonly rollback: TaskDefinition | null;
  /** Wraps it, outermost first, inside its flow's. */
  readonly middleware: readonly Middleware[];
  /** Records between it and each task that takes its stream; null: 256. */
  readonly buffer: number | null;
  /** The share of a stream's records it may reject, from a number of records on; null: any. */
  readonly maxErrorRate: { readonly share: number; readonly from: number } | null;
  /** Name of a task run for people: a template over params, or a function. Null: the task's name. */
  readonly runName: string | ((args: readonly unknown[]) => string) | null;
  /** The method as written, without the decorator's wrapper. */
  readonly method: (this: object, ...args: unknown[]) => unknown;
}
