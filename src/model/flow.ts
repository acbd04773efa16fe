/** A flow as the engine sees it: checked data, made from a decorated class by `define`. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Concurrency, OnConflict } from './deployment.ts';
import type { FlowFairness } from './fairness.ts';
import type { Graph } from './graph.ts';
import type { Injection } from './resource.ts';
import type { Middleware } from './middleware.ts';
import type { FlowRate } from './rate.ts';
import type { RetryPolicy } from './retry.ts';
import type { StreamPlan } from './streams.ts';
import type { TaskDefinition } from './task.ts';

/** Events of a run that a hook may listen to. */
export const hookEvents = ['running', 'completed', 'failed', 'crashed', 'cancelled'] as const;
export type HookEvent = (typeof hookEvents)[number];

export interface HookDefinition {
  readonly event: HookEvent;
  /** Name of the method. */
  readonly name: string;
  readonly method: (this: object, ...args: unknown[]) => unknown;
}

/** Makes an instance of a flow, such as a container that knows what its constructor takes. */
// oxlint-disable-next-line typescript/no-explicit-any -- its constructor may take anything.
export type Instantiate = (cls: new (...args: any[]) => object) => object | Promise<object>;

/** Where a class came from, so that another process or thread can load it again. */
export interface FlowSource {
  /** Absolute path of the user's file. */
  readonly file: string;
  /** Name under which the file exports the class. */
  readonly exportName: string;
}

/** How many runs of a flow may go on at the same time; as `Concurrency`, whose key may be a function here. */
export interface FlowConcurrency {
  readonly limit: number;
  /** Template over the parameters, or a function of them; null: one limit for all runs. */
  readonly key: string | ((params: unknown) => string) | null;
  readonly onConflict: OnConflict;
}

/** The same as it is stored: a key that a function gives is known only to whoever has the class. */
export interface DeclaredConcurrency extends Concurrency {
  /** Whether a function gives the key, which is null then. Default false. */
  readonly byFunction?: boolean;
}

/** Everything known of one flow. Read-only, made once per class. */
export interface FlowDefinition {
  readonly name: string;
  readonly className: string;
  readonly version: string;
  /** Whether runs that this version begins are finished by it alone. Default false. */
  readonly isPinned?: boolean;
  readonly description: string | null;
  readonly tags: readonly string[];
  readonly params: StandardSchemaV1 | null;
  /** What it gives out by `ctx.emit`, by stream; null where it does not say, and may give anything. */
  readonly emits?: Readonly<Record<string, StandardSchemaV1>> | null;
  /** Name of a run for people: a template over params, or a function. Null: two random words. */
  readonly runName: string | ((params: unknown) => string) | null;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number | null;
  /** Tasks of one run at the same time; null is unlimited. */
  readonly maxParallelTasks: number | null;
  /** Runs of it at the same time; null is unlimited. */
  readonly runConcurrency: FlowConcurrency | null;
  /** How many of its runs may begin in a window; missing where any number may. */
  readonly rateLimit?: FlowRate | null;
  /** By which key its runs take turns with those of others; null: they do not. */
  readonly fairness: FlowFairness | null;
  /** How many of a worker's places one of its runs takes, from 1. */
  readonly slots: number;
  /** Task whose value is the flow's; null: the only sink, else an object by task name. */
  readonly result: string | null;
  /** `graph`: wired by `needs`. `code`: has a method `run(params, ctx)`. */
  readonly kind: 'graph' | 'code';
  readonly tasks: ReadonlyMap<string, TaskDefinition>;
  readonly graph: Graph;
  /** Which of its tasks stream; null where none does. */
  readonly streams: StreamPlan | null;
  /** Whether `graph` says of a code flow in which order its body calls its tasks. Default false. */
  readonly isPlanned?: boolean;
  readonly hooks: readonly HookDefinition[];
  /** Runs around its runs and each of its tasks, outermost first. */
  readonly middleware: readonly Middleware[];
  readonly source: FlowSource | null;
  /** The code that it was loaded from, which stays as it was while the file changes; absent where its class was not loaded by its file. */
  readonly bundle?: { readonly module: string; readonly version: string };
  /** Its fields that hold resources, in the order of the class. */
  readonly injects: readonly Injection[];
  /**
   * A new instance of the class; one per attempt of a run.
   *
   * @param instantiate makes it; null: the constructor, without arguments
   * @throws BatutaError INSTANTIATE_FAILED, and what the constructor throws
   */
  create(instantiate?: Instantiate | null): object | Promise<object>;
  /** The `run` method of a code flow, else null. */
  readonly run: ((this: object, params: unknown, ctx: unknown) => Promise<unknown>) | null;
}
