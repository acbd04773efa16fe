/** Runs and task runs as they travel: without the values of the user, with how long they took. */
import { toWire, type Wire } from '../client/wire.ts';
import type { ListedRun, Run, TaskRun } from '../model/run.ts';

/** A run that may still carry its values. */
type AnyRun = ListedRun & Partial<Pick<Run, 'params' | 'result' | 'resultRef'>>;

/** `durationMs`: from its start to its end, null while it has not ended. */
export function runJson<R extends AnyRun>(run: R): object {
  const { params: _params, result: _result, resultRef: _ref, ...listed } = run;
  const { startedAt, endedAt } = run;
  return { ...(toWire(listed) as object), durationMs: startedAt === null || endedAt === null ? null : Math.max(0, endedAt - startedAt) };
}

export function taskRunJson({
  result: _result,
  resultRef: _ref,
  itemHash: _hash,
  ...taskRun
}: TaskRun): Wire<Omit<TaskRun, 'result' | 'resultRef' | 'itemHash'>> {
  return toWire(taskRun);
}
