/** The call of a task's method, and the forms of what it may give. */
import type { TaskContext } from '../../model/context.ts';
import type { TaskDefinition } from '../../model/task.ts';
import { noNamedValues } from '../../model/variable.ts';
import type { RunAttempt } from '../run/run-attempt.ts';

/** Whose method is called. */
export interface MethodCall {
  readonly active: RunAttempt;
  readonly definition: TaskDefinition;
  readonly context: TaskContext;
  readonly signal: AbortSignal;
}

/** Calls the method, here or in a thread. What it gives may still be pending. @throws what the method throws on the spot */
export function callMethod(execution: MethodCall, args: readonly unknown[]): unknown {
  const { active, definition } = execution;
  if (definition.isolate !== 'thread') {
    const value = definition.method.apply(active.instance, args as unknown[]);
    // As a list, in which form it can be recorded; here, so that the generator's body runs in the scope of its task.
    return isGenerator(value) ? [...value] : value;
  }
  const context = execution.context;
  return active.services.isolate.call({
    definition: active.definition,
    task: definition,
    args: args.filter((arg) => arg !== context),
    context,
    signal: execution.signal,
    namedValues: active.services.namedValues ?? noNamedValues,
  });
}

/** Whether the value is still to come. */
export function isPending(value: unknown): value is PromiseLike<unknown> | AsyncIterable<unknown> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    (('then' in value && typeof value.then === 'function') || isAsyncIterable(value))
  );
}

/** Whether its items are still to come, one by one. */
export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value && !('then' in value);
}

function isGenerator(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value && 'next' in value && typeof value.next === 'function';
}
