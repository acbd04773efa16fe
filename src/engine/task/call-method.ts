/** Calls a task's method, and handles the forms of its result. */
import type { ContextValues } from '../../model/middleware.ts';
import type { Logger } from 'pino';
import { callInTransaction, type TransactionalCall } from '../../effects/call-in-transaction.ts';
import { effectKeyOf } from '../../effects/effects-table.ts';
import { escapedError } from '../../model/escaped-error.ts';
import { resourceScopes } from '../../model/resource.ts';
import type { TaskRun } from '../../model/run.ts';
import { profiled } from '../../model/task-profile.ts';
import { recordOf } from '../../model/streams.ts';
import type { TaskUsage } from '../../model/task-usage.ts';
import type { TaskDefinition } from '../../model/task.ts';
import { noNamedValues } from '../../model/variable.ts';
import { openFields } from '../../resources/fields.ts';
import { RecordedGuestUses } from '../run/resource-uses.ts';
import type { RunAttempt } from '../run/run-attempt.ts';
import type { StartGate } from './start-gate.ts';

/** The calling attempt. */
export interface MethodCall extends Pick<TransactionalCall, 'context' | 'signal' | 'useResource'> {
  readonly active: RunAttempt;
  readonly definition: TaskDefinition;
  readonly row: TaskRun;
  readonly log: Logger;
  /** Whether the attempt has ended. */
  readonly isOver: boolean;
  /** Set if its end has to wait for the commit of its transaction. */
  isCommitting: boolean;
  /** Its usage, once known. */
  usage: TaskUsage | null;
  /** The items as a list, except those of a stream, which go to others. */
  collect(items: AsyncIterable<unknown>): Promise<unknown>;
  readonly contextValues: ContextValues;
  /** What its code waits for at the last moment; null: nothing. */
  readonly gate: StartGate | null;
}

/**
 * Calls the method, here or in a thread or process of its own. The result may still be pending.
 *
 * @throws what the method throws synchronously
 */
export function callMethod(execution: MethodCall, args: readonly unknown[]): unknown {
  const { active, definition } = execution;
  if (definition.isolate === null) {
    const { transaction } = definition;
    const call = definition.profile ? () => profiled(execution.context, () => listed(execution, args)) : null;
    if (transaction === null) return call === null ? callInThisThread(execution, args) : call();
    return callInTransaction(transactionalCall(execution), transaction, call ?? (() => listed(execution, args)));
  }
  const context = execution.context;
  return active.services.isolate.call({
    definition: active.definition,
    task: definition,
    args: args.filter((arg) => arg !== context),
    context,
    signal: execution.signal,
    contextValues: execution.contextValues,
    namedValues: active.services.namedValues ?? noNamedValues,
    effectKey: effectKeyOf(execution.row),
    beginCommit: () => void (execution.isCommitting = true),
    tellEarlier: () => tellEarlier(execution),
    tellEscaped: (error, how) => active.escape(escapedError(error, how, `task ${definition.name}`), execution.log),
    tellUsage: (usage) => void (execution.usage = usage),
    gate: execution.gate,
    resourceUses: new RecordedGuestUses(active.services, active.record, definition.isolate),
  });
}

function callInThisThread(execution: MethodCall, args: readonly unknown[]): unknown {
  const { active } = execution;
  const making = active.makeInstance();
  const isReady = making === null && active.definition.injects.length === 0 && execution.gate?.openMs !== 0;
  return isReady ? callHere(execution, args) : callPrepared(execution, args, making);
}

function callHere({ active, definition, gate }: MethodCall, args: readonly unknown[]): unknown {
  let value: unknown;
  try {
    value = definition.method.apply(active.instance, args as unknown[]);
  } finally {
    gate?.tellBegun();
  }
  // As a list, which can be recorded; done here so that the generator's body runs in its task's scope.
  return isGenerator(value) ? Array.from(value, recordOf) : value;
}

/** Called once the instance and its fields' resources are ready; not if the attempt has ended meanwhile. */
async function callPrepared(execution: MethodCall, args: readonly unknown[], making: Promise<void> | null): Promise<unknown> {
  await making;
  await openFields(execution.active.definition.injects, resourceScopes, (resource) => execution.useResource(resource, undefined));
  // Others may have held this process up since it opened.
  while (execution.gate?.openMs === 0 && !execution.isOver) await execution.gate.opened();
  if (execution.isOver) return undefined;
  const value = callHere(execution, args);
  return isAsyncIterable(value) ? execution.collect(value) : value;
}

/** The method's result, awaited; as a list if it yields items. */
async function listed(execution: MethodCall, args: readonly unknown[]): Promise<unknown> {
  const started = callInThisThread(execution, args);
  return await (isAsyncIterable(started) ? execution.collect(started) : started);
}

/** The items as a list, without their places; stops asking for more once they are not wanted. */
export async function collected(items: AsyncIterable<unknown>, isWanted: () => boolean): Promise<unknown[]> {
  const list: unknown[] = [];
  for await (const item of items) {
    if (!isWanted()) break;
    list.push(recordOf(item));
  }
  return list;
}

function transactionalCall(execution: MethodCall): TransactionalCall {
  const { active, definition, row, context, signal } = execution;
  return {
    ...{ task: definition.name, effectKey: effectKeyOf(row), context, signal },
    // The first attempt under a run's first claim has no predecessor.
    mayBeRepeated: active.isSpread || active.record.claim.epoch > 1 || row.attempt > 1,
    useResource: (resource, key) => execution.useResource(resource, key),
    beginCommit: () => void (execution.isCommitting = true),
    tellEarlier: () => tellEarlier(execution),
  };
}

function tellEarlier({ log }: MethodCall): void {
  log.info('It has taken effect before, in an execution that was lost before it was recorded: its result is taken from there.');
}

/** Whether the value is still pending. */
export function isPending(value: unknown): value is PromiseLike<unknown> | AsyncIterable<unknown> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    (('then' in value && typeof value.then === 'function') || isAsyncIterable(value))
  );
}

/** Whether its items are still pending, one by one. */
export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value && !('then' in value);
}

function isGenerator(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value && 'next' in value && typeof value.next === 'function';
}
