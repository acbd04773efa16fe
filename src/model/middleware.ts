/** Functions around runs and tasks: what they are given, and keys of the values they hand to tasks. */
import type { Logger } from 'pino';
import { BatutaError } from '../base/errors.ts';
import type { RunFacts, TaskFacts } from './facts.ts';

/**
 * Names a value that middleware hands to tasks, and says its type. Two keys of one name stand for the same value.
 *
 * @typeParam T type of the value; for tasks with `isolate: 'thread'` it must be serialisable
 */
export interface ContextKey<T> {
  readonly name: string;
  /** Only for the compiler. */
  readonly type?: T;
}

/** Makes a key. @throws TypeError for a name that is empty */
export function contextKey<T>(name: string): ContextKey<T> {
  if (typeof name !== 'string' || name === '') throw new TypeError('contextKey takes a name.');
  return Object.freeze({ name });
}

/** What middleware is given. */
export interface MiddlewareContext {
  readonly run: RunFacts;
  /** Null around a run. */
  readonly task: TaskFacts | null;
  readonly params: unknown;
  /** Aborts on cancel, timeout, lost lease and shutdown. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Adds fields to all log lines of the run or task from now on. */
  addLogFields(fields: Readonly<Record<string, unknown>>): void;
  /** Hands a value to the task, or, around a run, to all its tasks that this process executes: `ctx.get(key)` gives it. */
  set<T>(key: ContextKey<T>, value: T): void;
  /** A value that was set further out. @throws BatutaError CONTEXT_VALUE_MISSING */
  get<T>(key: ContextKey<T>): T;
}

/**
 * Runs around a run or a task: `next()` executes what is inside and gives its value, which is to be returned. It may be awaited, timed, and its errors be
 * wrapped in others; the value and the failure stay those of the task.
 *
 * @example
 * ```ts
 * const timed: Middleware = async (ctx, next) => {
 *   const begun = performance.now();
 *   try {
 *     return await next();
 *   } finally {
 *     ctx.log.info({ ms: performance.now() - begun }, ctx.task?.name ?? ctx.run.flow);
 *   }
 * };
 * ```
 */
export type Middleware = (ctx: MiddlewareContext, next: () => Promise<unknown>) => unknown;

/** Of what has none; the same list everywhere, so that one comparison tells. */
export const noMiddleware: readonly Middleware[] = Object.freeze([]);

/** One list in the other; each as it is where the other has none. */
export function joinMiddleware(outer: readonly Middleware[], inner: readonly Middleware[]): readonly Middleware[] {
  if (inner === noMiddleware) return outer;
  return outer === noMiddleware ? inner : [...outer, ...inner];
}

/** Values by the names of their keys, those of the run behind those of the task. */
export class ContextValues {
  readonly #outer: ContextValues | null;
  readonly #values = new Map<string, unknown>();

  constructor(outer: ContextValues | null) {
    this.#outer = outer;
  }

  set(key: ContextKey<unknown>, value: unknown): void {
    this.#values.set(key.name, value);
  }

  /** @throws BatutaError CONTEXT_VALUE_MISSING */
  get<T>(key: ContextKey<T>): T {
    if (this.#values.has(key.name)) return this.#values.get(key.name) as T;
    if (this.#outer !== null) return this.#outer.get(key);
    throw new BatutaError(
      'CONTEXT_VALUE_MISSING',
      `No middleware has set '${key.name}' here. Add the middleware that does to the flow, the task or batuta.config.ts.`,
      { details: { key: key.name } },
    );
  }

  /** All of them, as a thread is given them. */
  entries(): [name: string, value: unknown][] {
    return [...new Map([...(this.#outer?.entries() ?? []), ...this.#values])];
  }
}

/** Where no middleware has set anything. */
export const noContextValues = new ContextValues(null);
