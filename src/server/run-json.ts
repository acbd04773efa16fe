/** Wire form of runs and task runs: without the values of the user, with durations. */
import { toWire, type Wire } from '../client/wire.ts';
import type { ListedRun, Run, TaskRun } from '../model/run.ts';
import { parseRef } from '../model/result-ref.ts';
import { runTimes } from '../model/run-times.ts';

/** A run that may still have its values. */
type AnyRun = ListedRun & Partial<Pick<Run, 'params' | 'result' | 'resultRef'>>;

/** `durationMs`: execution time, `wallMs` from first start to end, `waitingMs` between; null if it has not ended or never began. */
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
