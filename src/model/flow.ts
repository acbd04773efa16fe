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

/** Creates flow instances, e.g. a container that knows the constructor's arguments. */
// oxlint-disable-next-line typescript/no-explicit-any -- its constructor may take anything.
export type Instantiate = (cls: new (...args: any[]) => object) => object | Promise<object>;

/** Where a class came from, so that another process or thread can load it again. */
export interface FlowSource {
  /** Absolute path of the user's file. */
  readonly file: string;
  /** The file's export name of the class. */
  readonly exportName: string;
}

/** How many runs of a flow may run at the same time; like `Concurrency`, but the key may be a function. */
export interface FlowConcurrency {
  readonly limit: number;
  /** Template over the parameters, or a function of them; null: one limit for all runs. */
  readonly key: string | ((params: unknown) => string) | null;
  readonly onConflict: OnConflict;
}

/** The same as stored; the key function is known only with the class. */
export interface DeclaredConcurrency extends Concurrency {
  /** Whether the key, then null, comes from a function. Default false. */
  readonly byFunction?: boolean;
}

/** All facts about one flow. Read-only, made once per class. */
export interface FlowDefinition {
  readonly name: string;
  readonly className: string;
  readonly version: string;
  /** Whether only this version finishes runs it begins. Default false. */
  readonly isPinned?: boolean;
  readonly description: string | null;
  readonly tags: readonly string[];
  readonly params: StandardSchemaV1 | null;
  /** What it emits by `ctx.emit`, by stream; null if undeclared: anything. */
  readonly emits?: Readonly<Record<string, StandardSchemaV1>> | null;
  /** Name of a run for people: a template over params, or a function. Null: two random words. */
  readonly runName: string | ((params: unknown) => string) | null;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number | null;
  /** Concurrent tasks of one run; null is unlimited. */
  readonly maxParallelTasks: number | null;
  /** Its concurrent runs; null is unlimited. */
  readonly runConcurrency: FlowConcurrency | null;
  /** How many of its runs may begin in a window; missing if unlimited. */
  readonly rateLimit?: FlowRate | null;
  /** Key by which its runs take turns with others; null: no turns. */
  readonly fairness: FlowFairness | null;
  /** How many of a worker's places one of its runs takes, from 1. */
  readonly slots: number;
  /** Task whose value is the flow's; null: the only sink, else an object by task name. */
  readonly result: string | null;
  /** `graph`: wired by `needs`. `code`: has a method `run(params, ctx)`. */
  readonly kind: 'graph' | 'code';
  readonly tasks: ReadonlyMap<string, TaskDefinition>;
  readonly graph: Graph;
  /** Which of its tasks stream; null if none. */
  readonly streams: StreamPlan | null;
  /** Whether `graph` shows the order in which a code flow's body calls its tasks. Default false. */
  readonly isPlanned?: boolean;
  readonly hooks: readonly HookDefinition[];
  /** Wraps its runs and each of its tasks, outermost first. */
  readonly middleware: readonly Middleware[];
  readonly source: FlowSource | null;
  /** The code it was loaded from, unaffected by changes of the file; absent if the class was not loaded by file. */
  readonly bundle?: { readonly module: string; readonly version: string };
  /** Its fields that hold resources, in class order. */
  readonly injects: readonly Injection[];
  /**
   * A new instance of the class; one per attempt of a run.
   *
   * @param instantiate creates it; null: constructor without arguments
   * @throws BatutaError INSTANTIATE_FAILED, and what the constructor throws
   */
  create(instantiate?: Instantiate | null): object | Promise<object>;
  /** The `run` method of a code flow, else null. */
  readonly run: ((this: object, params: unknown, ctx: unknown) => Promise<unknown>) | null;
}
