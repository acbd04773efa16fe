/** How an attempt of a task ended. */
import { formatDuration } from '../../base/duration.ts';
import { BatutaError, isBatutaError } from '../../base/errors.ts';
import type { TaskRun } from '../../model/run.ts';
import type { TaskDefinition } from '../../model/task.ts';

/** How long a transaction's commit may hold up the end of a run that is stopped by force. */
export const commitWaitMs = 5_000;

export type Settlement =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'error'; readonly error: unknown }
  /** The timeout passed first; the code may still be running. */
  | { readonly kind: 'timeout'; readonly error: BatutaError }
  /** The run was stopped and did not wait for this, or this ended because of the stop. */
  | { readonly kind: 'stopped'; readonly error: BatutaError };

/** What its code threw; its timeout if a transaction was rolled back because of that. @param reason why its signal was aborted */
export function failedWith(error: unknown, reason: BatutaError | null): Settlement {
  return error === reason && isBatutaError(error, 'TASK_TIMED_OUT') ? { kind: 'timeout', error } : { kind: 'error', error };
}

/** TASK_TIMED_OUT: the error of an attempt that took too long. */
export function timeoutError({ timeoutMs }: TaskDefinition, row: TaskRun): BatutaError {
  return new BatutaError('TASK_TIMED_OUT', `Task ${shownTask(row)} took longer than its timeout of ${formatDuration(timeoutMs ?? 0)}.`, {
    details: { task: row.name, timeoutMs },
  });
}

/** The task as shown to people: `measure`, or `measure[7]` for an item. */
export function shownTask({ name, index }: TaskRun): string {
  return index === null ? name : `${name}[${index}]`;
}

/** Settles an attempt that cannot be settled from outside: its method still holds the thread. */
export function ignore(): void {}

/** The loader of a flow's file does not reach threads and processes that its code starts. */
export const typescriptHint =
  "A Worker or fork of a TypeScript file needs a loader of its own: give it { execArgv: ['--import', 'batuta/register'] }.";
