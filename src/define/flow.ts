/** `@Flow`: makes a class a flow. It only records, and checks what the class alone can show. */
import { fileURLToPath } from 'node:url';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Duration } from '../base/duration.ts';
import { BatutaError } from '../base/errors.ts';
import type { OnConflict } from '../model/deployment.ts';
import type { Middleware } from '../model/middleware.ts';
import type { FlowClass } from '../model/flow-types.ts';
import { checkDeclaration } from './declaration.ts';
import { noteClass } from './declared-classes.ts';
import { checkStreams } from './definition.ts';
import { isOfLibrary } from './library.ts';
import { type AnyClass, readTasksSoFar, standardContext, writeFlow } from './metadata.ts';
import { optionsObject } from './spot.ts';
import type { RetryOptions } from './task.ts';
import type { FlowDecorator } from './class-wiring.ts';

/** How many runs of a flow may run at the same time. */
export interface RunConcurrencyOptions<P = unknown> {
  /** Runs at the same time, from 1; per key if there is one. */
  readonly limit: number;
  /** Groups runs: a template over params (`'{customer}'`), or a function. Default: one limit for all. */
  readonly key?: string | ((params: P) => string) | undefined;
  /**
   * What a run does when its limit is used up: wait (`queue`, the default), be dropped (`skip`), or cancel the oldest of the others and
   * take its place (`cancel-running`).
   */
  readonly onConflict?: OnConflict | undefined;
}

/** How many runs of a flow may begin in any time window. */
export interface RateLimitOptions<P = unknown> {
  /** Starts in any window, 1 to 1,000,000; per key if there is one. */
  readonly limit: number;
  /** Length of the window, 100 ms to 31 days. */
  readonly per: Duration;
  /** Groups runs: a template over params (`'{customer}'`), or a function. Default: one rate for all. */
  readonly key?: string | ((params: P) => string) | undefined;
}

/** The key by which runs of a flow take turns, and the share of a key. */
export interface FairnessOptions<P = unknown> {
  /** A template over params (`'{customer}'`), or a function. */
  readonly key: string | ((params: P) => string);
  /** A key's share of turns relative to others, 0.001 to 1,000; called when its turn comes. Default 1 for all. */
  readonly weight?: ((key: string) => number) | undefined;
}

/** Options of `@Flow`. */
export interface FlowOptions<S extends StandardSchemaV1 = StandardSchemaV1, R extends string = string> extends RetryOptions {
  /** Default: the class's name in kebab-case, `FlightDelays` → `flight-delays`. */
  readonly name?: string | undefined;
  /** Default: a hash of the code. */
  readonly version?: string | undefined;
  /**
   * What happens to a begun run when a worker with another version of the flow gets it: `continue` (default) continues with the available
   * code, and matches recorded work by name and inputs; `pin` leaves the run to workers with its original version.
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
  /** Concurrent tasks of one run, from 1. Default unlimited. */
  readonly maxParallelTasks?: number | undefined;
  /**
   * Concurrent runs of the flow; a deployment's own `concurrency` replaces it. Default unlimited. A number is the old form of
   * `maxParallelTasks`, and warns.
   */
  readonly concurrency?: number | RunConcurrencyOptions<StandardSchemaV1.InferOutput<S>> | undefined;
  /**
   * How many of its runs may begin in any time window; a deployment's own `rateLimit` replaces it. Each attempt of a run counts. Default
   * unlimited.
   */
  readonly rateLimit?: RateLimitOptions<StandardSchemaV1.InferOutput<S>> | undefined;
  /**
   * The key by which its runs take turns with others, within a queue and a priority: a template over params (`'{customer}'`), a function,
   * or either with a `weight`. A deployment's own `fairness` replaces it. Default: runs begin in order of submission.
   */
  readonly fairness?:
    | string
    | ((params: StandardSchemaV1.InferOutput<S>) => string)
    | FairnessOptions<StandardSchemaV1.InferOutput<S>>
    | undefined;
  /**
   * How many of a worker's places (its `--concurrency`) one of its runs takes, from 1; a deployment's own `slots` replaces it. Workers with
   * fewer leave it to others. No effect without workers. Default 1.
   */
  readonly slots?: number | undefined;
  /** True lets any worker execute its tasks, apart from the run, unless results stay in memory. Default false. */
  readonly spread?: boolean | undefined;
  /** Wraps its runs and each of its tasks, outermost first, inside that of `batuta.config.ts`. Default none. */
  readonly middleware?: readonly Middleware[] | undefined;
  /** Task whose value is the flow's. Default: the only task that nothing waits for, else an object by task name. */
  readonly result?: R | undefined;
}

/**
 * Makes a class a flow. Each attempt of a run has an instance; its constructor takes arguments only if `instantiate` of `batuta.config.ts`
 * passes them.
 *
 * @throws BatutaError at the definition of the class: DECORATOR_MISPLACED, OPTION_UNKNOWN, OPTION_INVALID, DURATION_INVALID, NAME_INVALID,
 *   STREAM_MISUSED. The rest of the graph is checked on first use.
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
    // Static members of a class with standard decorators are set only after the decorators ran.
    if (!context) checkStreams(cls);
    context?.addInitializer?.(() => {
      checkDeclaration(cls, record, []);
      checkStreams(cls);
    });
  };
  return decorate;
}

const compilerHelper = /[\\/]node_modules[\\/](tslib|reflect-metadata|@swc[\\/]helpers|@babel[\\/]runtime)[\\/]/;
const frameFile = /(?:\(|at (?:async )?)((?:file:\/\/|\/|[A-Za-z]:[\\/])[^()]*?):\d+:\d+\)?$/;

/** The first file on the stack outside the library and compiler helpers, or null. */
export function callingFile(): string | null {
  for (const line of new Error('where').stack?.split('\n').slice(1) ?? []) {
    const found = frameFile.exec(line.trimEnd())?.[1]?.replace(/[?#].*$/, '');
    if (found === undefined) continue;
    const file = found.startsWith('file:') ? fileURLToPath(found) : found;
    if (!isOfLibrary(file) && !file.includes('\0') && !compilerHelper.test(file)) return file;
  }
  return null;
}
