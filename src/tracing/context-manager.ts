/**
 * OpenTelemetry's active context in the code of runs: the span of the attempt, or of the run in a flow's body, unless a user's span is
 * active. Kept in the async storage of the run's scope, so that traces add no cost to promises.
 */
import { type Context, type ContextManager, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { systemClock } from '../base/clock.ts';
import { type AnyScope, currentScope, type RunScope, runScope } from '../model/run-context.ts';
import { attemptSpanIdOf, readTraceparent, spanIdOf, traceIdOf } from '../model/trace.ts';
import { ActiveSpan } from './active-span.ts';
import type { Sampling } from './run-spans.ts';

const contexts = new WeakMap<RunScope, Context>();

/** The context of code that runs in a scope. The same object at each call. */
export function contextOfScope(scope: RunScope, sampling: Sampling): Context {
  const known = contexts.get(scope);
  if (known !== undefined) return known;
  const { runId, taskRunId, attempt, traceparent = null } = scope;
  const traceId = traceIdOf(runId, traceparent);
  const span = new ActiveSpan(
    {
      traceId,
      spanId: taskRunId === null ? spanIdOf(runId) : attemptSpanIdOf(taskRunId, attempt),
      traceFlags: sampling(traceId, readTraceparent(traceparent)) ? 1 : 0,
    },
    () => systemClock.now(),
  );
  const context = trace.setSpan(ROOT_CONTEXT, span);
  contexts.set(scope, context);
  return context;
}

export class RunContextManager implements ContextManager {
  readonly #sampling: Sampling;

  constructor(sampling: Sampling) {
    this.#sampling = sampling;
  }

  active(): Context {
    const scope = runScope.getStore();
    if (scope === undefined) return ROOT_CONTEXT;
    if ('traced' in scope) return scope.traced as Context;
    const around = currentScope();
    return around === undefined ? ROOT_CONTEXT : contextOfScope(around, this.#sampling);
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: Context,
    work: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return runScope.run(this.#scopeOf(context), () => work.call(thisArg, ...args));
  }

  bind<T>(context: Context, target: T): T {
    if (typeof target !== 'function') return target;
    const within = (work: () => unknown): unknown => runScope.run(this.#scopeOf(context), work);
    const bound = function (this: unknown, ...args: unknown[]): unknown {
      return within(() => Reflect.apply(target as (...all: unknown[]) => unknown, this, args));
    };
    Object.defineProperty(bound, 'length', { value: target.length, configurable: true });
    return bound as T;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    return this;
  }

  #scopeOf(context: Context): AnyScope {
    const now = runScope.getStore();
    const loading = now !== undefined && 'loading' in now ? now.loading : undefined;
    return { traced: context, around: currentScope(), ...(loading === undefined ? {} : { loading }) };
  }
}
