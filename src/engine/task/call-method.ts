/** The call of a task's method, and the forms of what it may give. */
import type { ContextValues } from '../../model/middleware.ts';
import type { Logger } from 'pino';
import { callInTransaction, type TransactionalCall } from '../../effects/call-in-transaction.ts';
import { effectKeyOf } from '../../effects/effects-table.ts';
import { escapedError } from '../../model/escaped-error.ts';
import { resourceScopes } from '../../model/resource.ts';
import type { TaskRun } from '../../model/run.ts';
import { profiled } from '../../model/task-profile.ts';
import type { TaskUsage } from '../../model/task-usage.ts';
import type { TaskDefinition } from '../../model/task.ts';
import { noNamedValues } from '../../model/variable.ts';
import { openFields } from '../../resources/fields.ts';
import { RecordedGuestUses } from '../run/resource-uses.ts';
import type { RunAttempt } from '../run/run-attempt.ts';

/** Whose method is called. */
export interface MethodCall extends Pick<TransactionalCall, 'context' | 'signal' | 'useResource'> {
  readonly active: RunAttempt;
  readonly definition: TaskDefinition;
  readonly row: TaskRun;
  readonly log: Logger;
  /** Whether the attempt has ended. */
  readonly isOver: boolean;
  /** Set where its end has to wait for the commit of its transaction. */
  isCommitting: boolean;
  /** What it has used, once that is known. */
  usage: TaskUsage | null;
  /** The items as a list, save those of a stream, which go to others. */
  collect(items: AsyncIterable<unknown>): Promise<unknown>;
  readonly contextValues: ContextValues;
}

/** Calls the method, here or in a thread or process of its own. What it gives may still be pending. @throws what the method throws on the spot */
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
    resourceUses: new RecordedGuestUses(active.services, active.record, definition.isolate),
  });
}

function callInThisThread(execution: MethodCall, args: readonly unknown[]): unknown {
  const { active } = execution;
  const making = active.makeInstance();
  return making === null && active.definition.injects.length === 0 ? callHere(execution, args) : callPrepared(execution, args, making);
}

function callHere({ active, definition }: MethodCall, args: readonly unknown[]): unknown {
  const value = definition.method.apply(active.instance, args as unknown[]);
  // As a list, in which form it can be recorded; here, so that the generator's body runs in the scope of its task.
  return isGenerator(value) ? [...value] : value;
}

/** Once the instance is there and what its fields hold is open; not at all when the attempt has ended meanwhile. */
async function callPrepared(execution: MethodCall, args: readonly unknown[], making: Promise<void> | null): Promise<unknown> {
  await making;
  await openFields(execution.active.definition.injects, resourceScopes, (resource) => execution.useResource(resource, undefined));
  if (execution.isOver) return undefined;
  const value = callHere(execution, args);
  return isAsyncIterable(value) ? execution.collect(value) : value;
}

/** What the method gives, awaited, as a list where it gives item by item. */
async function listed(execution: MethodCall, args: readonly unknown[]): Promise<unknown> {
  const started = callInThisThread(execution, args);
  return await (isAsyncIterable(started) ? execution.collect(started) : started);
}

/** The items as a list; no more are asked for once they are not wanted any more. */
export async function collected(items: AsyncIterable<unknown>, isWanted: () => boolean): Promise<unknown[]> {
  const list: unknown[] = [];
  for await (const item of items) {
    if (!isWanted()) break;
    list.push(item);
  }
  return list;
}

function transactionalCall(execution: MethodCall): TransactionalCall {
  const { active, definition, row, context, signal } = execution;
  return {
    ...{ task: definition.name, effectKey: effectKeyOf(row), context, signal },
    // The first attempt under the first claim of a run has nobody before it.
    mayBeRepeated: active.isSpread || active.record.claim.epoch > 1 || row.attempt > 1,
    useResource: (resource, key) => execution.useResource(resource, key),
    beginCommit: () => void (execution.isCommitting = true),
    tellEarlier: () => tellEarlier(execution),
  };
}

function tellEarlier({ log }: MethodCall): void {
  log.info('It has taken effect before, in an execution that was lost before it was recorded: its result is taken from there.');
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
