/** What an attempt fails with that took too long. */
import { formatDuration } from '../../base/duration.ts';
import { BatutaError } from '../../base/errors.ts';
import type { TaskRun } from '../../model/run.ts';
import type { TaskDefinition } from '../../model/task.ts';

/** TASK_TIMED_OUT */
export function timeoutError({ timeoutMs }: TaskDefinition, { name, index }: TaskRun): BatutaError {
  const shown = `${name}${index === null ? '' : `[${index}]`}`;
  return new BatutaError('TASK_TIMED_OUT', `Task ${shown} took longer than its timeout of ${formatDuration(timeoutMs ?? 0)}.`, {
    details: { task: name, timeoutMs },
  });
}
