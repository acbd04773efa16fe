/** `@Flow`: makes a class a flow. It only records, and checks what can be checked of the class as it stands. */
import { fileURLToPath } from 'node:url';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Duration } from '../base/duration.ts';
import { BatutaError } from '../base/errors.ts';
import type { OnConflict } from '../model/deployment.ts';
import type { Middleware } from '../model/middleware.ts';
import type { FlowClass } from '../model/flow-types.ts';
import { checkDeclaration } from './declaration.ts';
import { noteClass } from './declared-classes.ts';
import { isOfLibrary } from './library.ts';
import { type AnyClass, readTasksSoFar, standardContext, writeFlow } from './metadata.ts';
import { optionsObject } from './spot.ts';
import type { RetryOptions } from './task.ts';
import type { FlowDecorator } from './class-wiring.ts';

/** How many runs of a flow may go on at the same time. */
export interface RunConcurrencyOptions<P = unknown> {
  /** Runs at the same time, from 1; of each key apart when there is one. */
  readonly limit: number;
  /** What tells runs apart: a template over params (`'{customer}'`), or a function. Default: one limit for all. */
  readonly key?: string | ((params: P) => string) | undefined;
  /**
   * What a run does when its limit is used up: it waits (`queue`, the default), is dropped (`skip`), or cancels the oldest of the others and
   * takes its place (`cancel-running`).
   */
  readonly onConflict?: OnConflict | undefined;
}

/** How many runs of a flow may begin in any window of time. */
export interface RateLimitOptions<P = unknown> {
  /** Starts in any window, 1 to 1,000,000; of each key apart when there is one. */
  readonly limit: number;
  /** Length of the window, 100 ms to 31 days. */
  readonly per: Duration;
  /** What tells runs apart: a template over params (`'{customer}'`), or a function. Default: one rate for all. */
  readonly key?: string | ((params: P) => string) | undefined;
}

/** By which key the runs of a flow take turns, and how much of them a key gets. */
export interface FairnessOptions<P = unknown> {
  /** A template over params (`'{customer}'`), or a function. */
  readonly key: string | ((params: P) => string);
  /** How much of the turns a key gets beside others, 0.001 to 1,000; asked as its turn comes. Default 1 for all. */
  readonly weight?: ((key: string) => number) | undefined;
}

/** Options of `@Flow`. */
export interface FlowOptions<S extends StandardSchemaV1 = StandardSchemaV1, R extends string = string> extends RetryOptions {
  /** Default: the class's name in kebab-case, `FlightDelays` → `flight-delays`. */
  readonly name?: string | undefined;
  /** Default: a hash of the code. */
  readonly version?: string | undefined;
  /**
   * What happens to a run that has begun when a worker with another version of the flow gets it: `continue` (default) goes on with the code that is
   * there, and matches what is recorded by name and inputs; `pin` leaves the run to workers that have the version with which it began.
   */
  readonly versioning?: 'continue' | 'pin' | undefined;
  readonly description?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  /** Schema of the parameters: zod, valibot, arktype or any other Standard Schema. Default: any parameters. */
  readonly params?: S | undefined;
  /** Name of a run for people: a template over params (`'{month}'`), or a function. Default: two random words. */
  readonly runName?: string | ((params: StandardSchemaV1.InferOutput<S>) => string) | undefined;
  /** Longest time of a run. Default none. */
  readonly timeout?: Duration | undefined;
  /** Tasks of one run at the same time, from 1. Default unlimited. */
  readonly maxParallelTasks?: number | undefined;
  /**
   * Runs of the flow at the same time; those of a deployment that has a `concurrency` of its own go by that. Default unlimited. A number is the
   * old form of `maxParallelTasks`, and warns.
   */
  readonly concurrency?: number | RunConcurrencyOptions<StandardSchemaV1.InferOutput<S>> | undefined;
  /**
   * How many of its runs may begin in any window of time; those of a deployment that has a `rateLimit` of its own go by that. Each attempt of a run
   * counts. Default unlimited.
   */
  readonly rateLimit?: RateLimitOptions<StandardSchemaV1.InferOutput<S>> | undefined;
  /**
   * The key by which its runs take turns with those of others, within a queue and a priority: a template over params (`'{customer}'`), a function, or
   * either with a `weight`. Runs of a deployment that has a `fairness` of its own go by that. Default: runs begin in the order of submitting.
   */
  readonly fairness?:
    | string
    | ((params: StandardSchemaV1.InferOutput<S>) => string)
    | FairnessOptions<StandardSchemaV1.InferOutput<S>>
    | undefined;
  /**
   * How many of a worker's places (its `--concurrency`) one of its runs takes, from 1; those of a deployment that has `slots` of its own go by that. A
   * worker that has fewer leaves them to others. Without workers it says nothing. Default 1.
   */
  readonly slots?: number | undefined;
  /** True lets any worker execute its tasks, apart from the run, save those that keep their result in memory. Default false. */
  readonly spread?: boolean | undefined;
  /** Runs around its runs and each of its tasks, outermost first, inside of that of `batuta.config.ts`. Default none. */
  readonly middleware?: readonly Middleware[] | undefined;
  /** Task whose value is the flow's. Default: the only task that nothing waits for, else an object by task name. */
  readonly result?: R | undefined;
}

/**
 * Makes a class a flow. An instance is made for each attempt of a run; its constructor takes arguments only where `instantiate` of
 * `batuta.config.ts` gives them.
 *
 * @throws BatutaError at the definition of the class: DECORATOR_MISPLACED, OPTION_UNKNOWN, OPTION_INVALID, DURATION_INVALID,
 *   NAME_INVALID. The graph is checked when the flow is first used.
 * @example
 * ```ts
 * @Flow({ params: z.object({ month: z.string() }), retries: 1 })
 * export class FlightDelays { … }
 * ```
 */
export function Flow<S extends StandardSchemaV1 = never, const R extends string = never>(options?: FlowOptions<S, R>): FlowDecorator<S, R> {
  const raw = optionsObject('Flow', options, arguments.length);
  const decorate = (value: unknown, second: unknown): void => {
    if (typeof value !== 'function' || typeof value.prototype !== 'object')
      throw new BatutaError('DECORATOR_MISPLACED', '@Flow() goes on a class.');
    const cls = value as unknown as AnyClass;
    const context = standardContext(second);
    const record = { options: raw, file: callingFile() };
    noteClass(cls as unknown as FlowClass, record.file);
    if (!writeFlow(cls, context, record)) throw new BatutaError('DECORATOR_MISPLACED', `${cls.name} has @Flow() twice; keep one.`);
    checkDeclaration(cls, record, readTasksSoFar(cls, context).values());
    // Static members of a class with standard decorators are set only after the decorators have run.
    context?.addInitializer?.(() => checkDeclaration(cls, record, []));
  };
  return decorate;
}

const compilerHelper = /[\\/]node_modules[\\/](tslib|reflect-metadata|@swc[\\/]helpers|@babel[\\/]runtime)[\\/]/;
const frameFile = /(?:\(|at (?:async )?)((?:file:\/\/|\/|[A-Za-z]:[\\/])[^()]*?):\d+:\d+\)?$/;

/** The first file on the stack that is neither the library nor a compiler's helper, or null. */
export function callingFile(): string | null {
  for (const line of new Error('where').stack?.split('\n').slice(1) ?? []) {
    const found = frameFile.exec(line.trimEnd())?.[1]?.replace(/[?#].*$/, '');
    if (found === undefined) continue;
    const file = found.startsWith('file:') ? fileURLToPath(found) : found;
    if (!isOfLibrary(file) && !file.includes('\0') && !compilerHelper.test(file)) return file;
  }
  return null;
}
