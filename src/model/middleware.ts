/** Functions around runs and tasks: their context, and keys of the values they pass to tasks. */
import type { Logger } from 'pino';
import { BatutaError } from '../base/errors.ts';
import type { RunFacts, TaskFacts } from './facts.ts';

/**
 * Names and types a value that middleware passes to tasks. Two keys of one name stand for the same value.
 *
 * @typeParam T type of the value; for tasks with `isolate: 'thread'` it must be serialisable
 */
export interface ContextKey<T> {
  readonly name: string;
  /** Only for the compiler. */
  readonly type?: T;
}

/** Makes a key. @throws TypeError for an empty name */
export function contextKey<T>(name: string): ContextKey<T> {
  if (typeof name !== 'string' || name === '') throw new TypeError('contextKey takes a name.');
  return Object.freeze({ name });
}

/** Context of middleware. */
export interface MiddlewareContext {
  readonly run: RunFacts;
  /** Null around a run. */
  readonly task: TaskFacts | null;
  readonly params: unknown;
  /** Aborts on cancel, timeout, lost lease and shutdown. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Adds fields to all further log lines of the run or task. */
  addLogFields(fields: Readonly<Record<string, unknown>>): void;
  /** Passes a value to the task, or, around a run, to all its tasks that this process executes; read by `ctx.get(key)`. */
  set<T>(key: ContextKey<T>, value: T): void;
  /** A value set further out. @throws BatutaError CONTEXT_VALUE_MISSING */
  get<T>(key: ContextKey<T>): T;
}

/**
 * Runs around a run or a task: `next()` executes what is inside and resolves to its value, which must be returned. It may be awaited and
 * timed, and its errors wrapped; the value and the failure stay those of the task.
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

/** For those without any; one shared list, compared by identity. */
export const noMiddleware: readonly Middleware[] = Object.freeze([]);

/** One list inside the other; unchanged if the other is empty. */
export function joinMiddleware(outer: readonly Middleware[], inner: readonly Middleware[]): readonly Middleware[] {
  if (inner === noMiddleware) return outer;
  return outer === noMiddleware ? inner : [...outer, ...inner];
}

/** Values by key name, those of the task before those of the run. */
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

  /** All of them, as passed to a thread. */
  entries(): [name: string, value: unknown][] {
    return [...new Map([...(this.#outer?.entries() ?? []), ...this.#values])];
  }
}

/** Without any values set. */
export const noContextValues = new ContextValues(null);
