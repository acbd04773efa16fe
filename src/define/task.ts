/** `@Task`: marks a method as a task of its flow. It only records and wraps. */
import type { Duration } from '../base/duration.ts';
import type { Middleware } from '../model/middleware.ts';
import type { SqlResource } from '../effects/context.ts';
import { currentScope } from '../model/run-context.ts';
import type { Trigger } from '../model/task.ts';
import type { CacheFunction, CacheOptions } from './cache-option.ts';
import { guardFields } from './inject.ts';
import { type Method, writeBare, writeTask } from './metadata.ts';
import { optionsObject, readSpot } from './spot.ts';
import type { Names, TaskDecorator, When, WiringOf } from './wiring.ts';

/** When a failed attempt is retried; for tasks and flows. */
export interface RetryOptions {
  /** How often a failed attempt is retried. Default 0. */
  readonly retries?: number | undefined;
  /** Wait before the next attempt: one, a list whose last value repeats, or a function of the failed attempt (from 1). Default none. */
  readonly retryDelay?: Duration | readonly Duration[] | ((attempt: number, error: unknown) => Duration) | undefined;
  /** `exponential` doubles a single `retryDelay` each time. Default `fixed`. */
  readonly backoff?: 'fixed' | 'exponential' | undefined;
  /** Upper bound of a wait. Default none. */
  readonly maxRetryDelay?: Duration | undefined;
  /** Random share of a wait, 0 to 1. Default 0. */
  readonly jitter?: number | undefined;
  /** Called before a retry; false stops. Default: always retry. */
  readonly retryIf?: ((error: unknown, attempt: number) => boolean | Promise<boolean>) | undefined;
}

/** Options of `@Task`. In a class with `run()` the calls wire the tasks, so `needs`, `after`, `each`, `when` and `trigger` are refused. */
export interface TaskOptions<
  N extends Names = Names,
  A extends Names = Names,
  E extends string = string,
  W extends When = When,
  B extends string = string,
  K extends CacheFunction = CacheFunction,
  F extends CacheFunction = CacheFunction,
  R extends SqlResource = SqlResource,
> extends RetryOptions {
  /** Tasks whose results are this task's arguments, in this order. Default none. */
  readonly needs?: N | undefined;
  /** Tasks that must precede it without passing data. Default none. */
  readonly after?: A | undefined;
  /** Task over whose items this one runs; the item is the first argument. */
  readonly each?: E | undefined;
  /** How many items run at the same time. Default all. */
  readonly eachLimit?: number | undefined;
  /** Called with the task's arguments and context; false makes it Skipped. */
  readonly when?: W | undefined;
  /** Required outcomes of the tasks before it. Default `allSucceeded`. */
  readonly trigger?: Trigger | undefined;
  /** Longest time of one attempt. Default none. */
  readonly timeout?: Duration | undefined;
  readonly tags?: readonly string[] | undefined;
  /** Higher starts first among waiting tasks. Default 0. */
  readonly priority?: number | undefined;
  /**
   * How many places it takes, from 1: of the flow's `maxParallelTasks`; with `isolate`, of the threads or processes for tasks; with
   * `spread`, of a worker. Refused if none of these apply. Default 1.
   */
  readonly slots?: number | undefined;
  /**
   * `thread` runs the method in a worker thread, `process` in its own process, started only for this task; a timeout or cancel really ends
   * both. Default: the run's thread.
   */
  readonly isolate?: 'thread' | 'process' | undefined;
  /**
   * With `isolate`: memory limit, as `'512 MB'` or in bytes, at least 64 MB; a task that exceeds it fails with `TASK_OUT_OF_MEMORY`. Of a
   * thread it is the heap, of a process all of it, with Node.js. Default: Node.js's limit.
   */
  readonly memory?: number | string | undefined;
  /**
   * True keeps a CPU profile (`.cpuprofile`) and heap figures of each attempt as artifacts. Without `isolate` it covers the whole thread,
   * with anything executed there meanwhile. Default false.
   */
  readonly profile?: boolean | undefined;
  /** True lets any worker execute it, apart from its run; without workers it runs here. Default: the flow's `spread`; true with `queue`. */
  readonly spread?: boolean | undefined;
  /** Queue whose workers execute it; 1 to 100 letters, digits, `_`, `.` and `-`. Default: that of its run. */
  readonly queue?: string | undefined;
  /**
   * A database resource. The task works in a transaction of it (`ctx.tx`), which commits with its result: executed again, after a crash at
   * any moment, it takes that result and does nothing. Default none.
   */
  readonly transaction?: R | undefined;
  /** False keeps the result in memory only; such a task runs again after a crash. Default true. */
  readonly persist?: boolean | undefined;
  /** How long later runs reuse a value: a duration, or more in an object. Default: never. */
  readonly cache?: Duration | CacheOptions<K, F> | undefined;
  /**
   * Public method that undoes the task when its run fails, crashes or is cancelled for good: called with the task's result, then a context.
   * With its own `@Task()` it has its own options, e.g. retries. Default: no undo.
   */
  readonly rollback?: B | undefined;
  /** Records buffered between a streaming task and each task that takes them, 1 or more. Default 256. */
  readonly buffer?: number | undefined;
  /**
   * Of a task that yields or takes a stream: the share of its records (0 to 1) that it may reject (`ctx.reject`), checked from `from`
   * records on (default 100). Above it the task fails with the figures. Default: any.
   */
  readonly maxErrorRate?: { readonly share: number; readonly from?: number | undefined } | undefined;
  /** Wraps each attempt, outermost first, inside that of its flow. Default none. */
  readonly middleware?: readonly Middleware[] | undefined;
  readonly version?: string | undefined;
  readonly description?: string | undefined;
  /** Name of a task run for people: a template over params, or a function of the arguments. Default: the method's name. */
  readonly runName?: string | ((args: readonly unknown[]) => string) | undefined;
}

/**
 * Marks a public method as a task of its flow.
 *
 * The arguments are the results of the tasks in `needs`, in order, then the context; a method that does not fit does not compile. Outside a
 * run it is a plain method. Called in the body of a code flow it becomes a task run.
 *
 * @throws BatutaError DECORATOR_MISPLACED on anything but a public instance method; TASK_DUPLICATE on a method that is a task already.
 *   Option values are checked by `@Flow`, or else when the flow is first used.
 * @example
 * ```ts
 * @Task({ needs: ['flights'], retries: 3, timeout: '1m' })
 * async count(flights: Flight[], ctx: TaskContext) { … }
 * ```
 */
export function Task<
  const N extends Names = readonly [],
  const A extends Names = readonly [],
  const E extends string = never,
  W extends When = When,
  const B extends string = never,
  K extends CacheFunction = CacheFunction,
  F extends CacheFunction = CacheFunction,
  const R extends SqlResource = never,
>(options?: TaskOptions<N, A, E, W, B, K, F, R>): TaskDecorator<WiringOf<N, A, E, W, B, K, F, R>> {
  const raw = optionsObject('Task', options, arguments.length);
  const decorate = (first: unknown, second: unknown, third: unknown): unknown => {
    const spot = readSpot('Task', first, second, third);
    const added = writeTask(spot.holder, { name: spot.name, options: raw, method: spot.method });
    if (!added) throw spot.refuse('TASK_DUPLICATE', ' is a task already; keep one @Task() on it.');
    return spot.replaceWith(wrap(spot.name, spot.method));
  };
  return decorate as TaskDecorator<WiringOf<N, A, E, W, B, K, F, R>>;
}

/** A function that calls `bare` outside the body of a code flow, and the engine inside it. */
export function wrap(name: string, bare: Method): Method {
  const wrapper: Method = function (...args) {
    const callTask = currentScope()?.callTask;
    if (callTask) return callTask(this, name, args);
    guardFields(this);
    return bare.apply(this, args);
  };
  Object.defineProperties(wrapper, { name: { value: name, configurable: true }, length: { value: bare.length, configurable: true } });
  writeBare(wrapper, bare);
  return wrapper;
}
