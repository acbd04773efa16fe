/** Whether a failed attempt of a run is followed by another, and how that one finds the task runs. */
import { letOthersIn } from '../../base/clock.ts';
import { errorOf, failureOf } from '../../model/failure.ts';
import { retryDelayMs } from '../../model/retry.ts';
import type { TaskRun } from '../../model/run.ts';
import { stateOf } from '../../model/state.ts';
import type { RunAttempt } from './run-attempt.ts';

/** Task runs opened before others get a turn of the event loop. */
const opensPerTurn = 1_000;

/**
 * Wait in ms before the next attempt of the run, null when there is none. Counts what was recorded since the run was accepted or
 * last retried by hand: an owner that was lost has used up its retries all the same.
 */
export async function flowRetryDelayMs(active: RunAttempt, thrown: unknown): Promise<number | null> {
  const { definition, services, run } = active;
  const { retry } = definition;
  if (retry.retries === 0) return null;
  const transitions = await services.store.transitions.ofRun(run.id, null);
  const opened = transitions.findLastIndex(({ name }) => name === 'Scheduled');
  const used = transitions.slice(opened + 1).filter(({ name }) => name === 'AwaitingRetry').length;
  if (used >= retry.retries) return null;
  // As an owner that takes the run over would find it on record.
  const error = errorOf(failureOf(thrown));
  if (!(await allows(active, error))) return null;
  try {
    return retryDelayMs(retry, used + 1, error, services.random);
  } catch (fault) {
    active.log.error({ err: fault }, 'retryDelay of the flow threw; the next attempt follows at once.');
    return 0;
  }
}

/**
 * Opens the task runs that did not complete, for the next attempt: on record, so that an owner who takes the run over does not take
 * a failure of the last attempt for one of this. What completed stays. Gives the rows as the next attempt finds them.
 */
export async function openTaskRuns(active: RunAttempt, taskRuns: Map<string, TaskRun>): Promise<ReadonlyMap<string, TaskRun>> {
  let opened = 0;
  for (const [key, row] of taskRuns) {
    if (row.state.type === 'COMPLETED') continue;
    const open = {
      ...row,
      state: stateOf('SCHEDULED', 'Scheduled', 'Opened by a retry of the flow'),
      endedAt: null,
      dueAt: null,
      failures: 0,
    };
    // Not awaited: it goes with the state of the run that follows.
    active.record.setTask(null, open).catch(() => undefined);
    taskRuns.set(key, open);
    if (++opened % opensPerTurn === 0) await letOthersIn();
  }
  return taskRuns;
}

async function allows(active: RunAttempt, error: unknown): Promise<boolean> {
  const { retryIf } = active.definition.retry;
  if (retryIf === null) return true;
  try {
    return await active.untilForced(() => retryIf(error, active.run.attempt));
  } catch (thrown) {
    if (!active.stopReason) active.log.error({ err: thrown }, 'retryIf of the flow threw; the run is not retried.');
    return false;
  }
}
