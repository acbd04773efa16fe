/** The context of middleware around a run or a task. */
import type { ContextKey, ContextValues, MiddlewareContext } from '../../model/middleware.ts';

/** The sources of a context; the first three are read on demand. */
export interface ContextParts extends Pick<MiddlewareContext, 'run' | 'task' | 'addLogFields'> {
  readonly params: () => unknown;
  readonly signal: () => AbortSignal;
  readonly log: () => MiddlewareContext['log'];
}

/** The context passed to middleware. */
export function contextOf(values: ContextValues, { run, task, params, signal, log, addLogFields }: ContextParts): MiddlewareContext {
  return {
    run,
    task,
    get params() {
      return params();
    },
    get signal() {
      return signal();
    },
    get log() {
      return log();
    },
    addLogFields,
    set: <T>(key: ContextKey<T>, value: T) => values.set(key, value),
    get: <T>(key: ContextKey<T>) => values.get(key),
  };
}
