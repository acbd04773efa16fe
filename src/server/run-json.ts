/** Runs and task runs as they travel: without the values of the user, with how long they took. */
import { toWire, type Wire } from '../client/wire.ts';
import type { ListedRun, Run, TaskRun } from '../model/run.ts';
import { parseRef } from '../model/result-ref.ts';
import { runTimes } from '../model/run-times.ts';

/** A run that may still carry its values. */
type AnyRun = ListedRun & Partial<Pick<Run, 'params' | 'result' | 'resultRef'>>;

/** `durationMs`: how long it was executed, `wallMs` from its first start to its end, `waitingMs` between; null while it has not ended or never began. */
export function runJson<R extends AnyRun>(run: R): object {
  const { params: _params, result: _result, resultRef: _ref, ...listed } = run;
  const times = run.endedAt === null ? null : runTimes(run, run.endedAt);
  return {
    ...(toWire(listed) as object),
    durationMs: times?.executingMs ?? null,
    waitingMs: times?.waitingMs ?? null,
    wallMs: times?.wallMs ?? null,
  };
}

export function taskRunJson({
  result: _result,
  resultRef,
  itemHash: _hash,
  ...taskRun
}: TaskRun): Wire<Omit<TaskRun, 'result' | 'resultRef' | 'itemHash'>> {
  return toWire({ ...taskRun, resultBytes: resultRef === null ? null : parseRef(resultRef).bytes });
}
