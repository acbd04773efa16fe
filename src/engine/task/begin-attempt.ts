/** The start of an attempt: its arguments, its condition, its name, its row. */
import type { TaskRun } from '../../model/run.ts';
import { runScope } from '../../model/run-context.ts';
import { type StateType, stateOf } from '../../model/state.ts';
import type { RunAttempt } from '../run/run-attempt.ts';
import { renderName } from '../submit/names.ts';
import { StageAttempt } from '../streams/stage-attempt.ts';
import type { Settlement } from './settlement.ts';
import { TaskAttempt } from './task-attempt.ts';
import type { TaskRequest } from './task-request.ts';
import { pending, recordUnrun } from './task-row.ts';

const running = stateOf('RUNNING');
const retrying = stateOf('RUNNING', 'Retrying');

export interface Begun {
  readonly execution: TaskAttempt;
  readonly args: readonly unknown[];
  /** Set when the condition or the name threw: the attempt has failed before its method was called. */
  readonly fault: Settlement | null;
}

/** Checks the condition, then records the attempt as running. A promise only if the condition has to be checked. */
export function beginAttempt(
  active: RunAttempt,
  request: TaskRequest,
  before: TaskRun,
  from: StateType | null,
  isConditionMet = false,
): Begun | Promise<Begun | 'skipped'> {
  const { definition } = request;
  const attempt = before.attempt + 1;
  const now = active.services.clock.now();
  const row: TaskRun = {
    ...before,
    state: attempt > 1 ? retrying : running,
    attempt,
    startedAt: before.attempt === 0 ? now : (before.startedAt ?? now),
    endedAt: null,
    dueAt: null,
    progress: null,
    metrics: null,
    result: null,
    resultRef: null,
    error: null,
  };
  const execution = request.stage ? new StageAttempt(active, row, request.stage) : new TaskAttempt(active, definition, row);
  const args = request.args(execution.context);
  const record = (fault: Settlement | null): Begun => {
    const named = nameFault(active, request, execution, args);
    // Not awaited: the row of a quick task shares the flush of its end.
    execution.recorded = active.record.setTask(from, execution.row, from === null && before.state === pending, true);
    execution.recorded.catch(() => undefined);
    return { execution, args, fault: fault ?? named };
  };
  return definition.when !== null && before.attempt === 0 && !isConditionMet
    ? askCondition(active, request, execution, record)
    : record(null);
}

/** Records the attempt, or, if its condition is not met, that the task was skipped. */
export async function askCondition<Result>(
  active: RunAttempt,
  request: TaskRequest,
  execution: TaskAttempt,
  record: (fault: Settlement | null) => Result,
): Promise<Result | 'skipped'> {
  const { definition, key, index, itemHash = null, callArgs = null } = request;
  const { when } = definition;
  // A copy: changes must not reach the task, whose condition is not rechecked after a crash.
  const asked = request.args(execution.context);
  try {
    if (await active.untilForced(() => runScope.run(execution, () => when?.apply(undefined, asked as unknown[])))) return record(null);
  } catch (error) {
    const { stopReason } = active;
    return record(stopReason ? { kind: 'stopped', error: stopReason } : { kind: 'error', error });
  }
  await recordUnrun(active, key, definition.name, index, stateOf('COMPLETED', 'Skipped', 'Its condition (when) was not met.'), {
    itemHash,
    callArgs,
  });
  return 'skipped';
}

/** Gives the execution its name; returns what went wrong, or null. */
function nameFault(
  active: RunAttempt,
  { definition, index }: TaskRequest,
  execution: TaskAttempt,
  args: readonly unknown[],
): Settlement | null {
  const { runName } = definition;
  if (runName === null) return null;
  try {
    const displayName = runScope.run(execution, () => renderName(runName, args, { ...fieldsOf(execution.params), index, item: args[0] }));
    execution.row = { ...execution.row, displayName };
    return null;
  } catch (error) {
    return { kind: 'error', error };
  }
}

function fieldsOf(params: unknown): object {
  return typeof params === 'object' && params !== null ? params : {};
}
