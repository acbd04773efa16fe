/** The error of a task whose guest ended before it did. */
import { byteSize } from '../../base/byte-size.ts';
import { BatutaError } from '../../base/errors.ts';
import type { GuestEnd } from './guest.ts';
import type { GuestNeed } from './guest-pool.ts';

/** TASK_OUT_OF_MEMORY or ISOLATE_ENDED, with the known details. */
export function guestFailure(task: { readonly name: string }, { kind, memoryBytes }: GuestNeed, end: GuestEnd): BatutaError {
  const { isOutOfMemory, peakBytes, how, error } = end;
  const details = { task: task.name, isolate: kind, memoryBytes, peakBytes };
  const cause = error === undefined ? {} : { cause: error };
  if (!isOutOfMemory)
    return new BatutaError('ISOLATE_ENDED', `The ${kind} of task ${task.name} ended before the task did: ${how}.`, {
      details: { ...details, how },
      ...cause,
    });
  const limit = memoryBytes === null ? 'what Node.js gives it' : `its limit of ${byteSize(memoryBytes)}`;
  const most = peakBytes === null ? '' : `, at ${byteSize(peakBytes)}`;
  return new BatutaError(
    'TASK_OUT_OF_MEMORY',
    `Task ${task.name} used more memory than its ${kind} may have: ${limit}${most}. Give it more by the option memory, or less to do at a time.`,
    { details, ...cause },
  );
}
