/** Middleware around the method of a task. */
import type { Logger } from 'pino';
import type { RunFacts, TaskFacts } from '../../model/context.ts';
import { ContextValues, type Middleware } from '../../model/middleware.ts';
import { callMethod, isAsyncIterable, type MethodCall } from '../task/call-method.ts';
import { contextOf } from './middleware-context.ts';
import { runMiddleware } from './run-middleware.ts';

/** The attempt whose method is called. */
export interface CalledAttempt extends MethodCall {
  contextValues: ContextValues;
  readonly task: string;
  readonly runFacts: RunFacts;
  readonly taskFacts: TaskFacts;
  readonly params: unknown;
  logger(): Logger;
  addLogFields(fields: Readonly<Record<string, unknown>>): void;
  /** The items of an async generator as a list. */
  collect(items: AsyncIterable<unknown>): Promise<unknown>;
}

/** Calls the method inside the middleware, in the scope of its task. */
export function callAround(execution: CalledAttempt, args: readonly unknown[], chain: readonly Middleware[]): Promise<unknown> {
  const values = new ContextValues(execution.active.contextValues);
  execution.contextValues = values;
  const ctx = contextOf(values, {
    run: execution.runFacts,
    task: execution.taskFacts,
    params: () => execution.params,
    signal: () => execution.signal,
    log: () => execution.logger(),
    addLogFields: (fields) => execution.addLogFields(fields),
  });
  return runMiddleware(chain, ctx, `task ${execution.task}`, async () => {
    const value = await callMethod(execution, args);
    return isAsyncIterable(value) ? await execution.collect(value) : value;
  });
}
