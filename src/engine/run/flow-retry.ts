/** Whether a failed attempt of a run is followed by another, and which task runs that one finds. */
import { formatDuration } from '../../base/duration.ts';
import { inSlices } from '../../base/slices.ts';
import { errorOf, failureOf } from '../../model/failure.ts';
import { isRateWait } from '../../model/rate.ts';
import { isNonRetryable, retryDelayMs } from '../../model/retry.ts';
import type { TaskRun } from '../../model/run.ts';
import { runScope } from '../../model/run-context.ts';
import { stateOf } from '../../model/state.ts';
import { withOrigin } from './failure-origin.ts';
import type { RunAttempt } from './run-attempt.ts';
import { type FailedVerdict, messageFor } from './run-end.ts';

/**
 * Records that another attempt follows, and when. Returns the task runs as that one finds them; null if none follows, or the run was
 * stopped.
 *
 * @throws BatutaError STORE_…
 */
export async function openNextAttempt(
  active: RunAttempt,
  { error: thrown, task }: FailedVerdict,
): Promise<ReadonlyMap<string, TaskRun> | null> {
  const { services, record, definition, run } = active;
  const waitMs = await flowRetryDelayMs(active, thrown);
  if (waitMs === null) return null;
  await active.laterWrites.flushed(false);
  const taskRuns = await services.store.taskRuns.byKeyOfRun(run.id);
  if (active.stopReason) return null;
  const opened = await openTaskRuns(active, taskRuns);
  if (active.stopReason) return null;
  const error = withOrigin(failureOf(thrown), record, definition, task);
  const state = stateOf('SCHEDULED', 'AwaitingRetry', messageFor(error, task));
  const awaited = record.setRun(state, { attempt: run.attempt + 1, dueAt: services.clock.now() + waitMs, error });
  active.log.warn({ err: thrown }, `Attempt ${run.attempt} of the run failed, next in ${formatDuration(waitMs)}: ${error.message}`);
  await awaited;
  return opened;
}

/**
 * Wait in ms before the next attempt of the run; null if there is none. Counts retries recorded since the run was accepted or last retried
 * by hand: those of a lost owner count too. A wait for a rate resets nothing.
 */
async function flowRetryDelayMs(active: RunAttempt, thrown: unknown): Promise<number | null> {
  const { definition, services, run } = active;
  const { retry } = definition;
  if (retry.retries === 0) return null;
  const transitions = await services.store.transitions.ofRun(run.id, null);
  const opened = transitions.findLastIndex(({ name, message }) => name === 'Scheduled' && !isRateWait(message));
  const used = transitions.slice(opened + 1).filter(({ name }) => name === 'AwaitingRetry').length;
  if (used >= retry.retries) return null;
  // As the next owner would read it from the record.
  const error = errorOf(failureOf(thrown));
  if (isNonRetryable(error) || !(await allows(active, error))) return null;
  try {
    return runScope.run(active.scope(null, null), () => retryDelayMs(retry, used + 1, error, services.random));
  } catch (fault) {
    active.log.error({ err: fault }, 'retryDelay of the flow threw; the next attempt follows at once.');
    return 0;
  }
}

/**
 * Opens the incomplete task runs for the next attempt: on record, so that an owner who takes the run over does not mistake a failure of the
 * last attempt for one of this. What completed stays. Returns the rows as the next attempt finds them.
 */
async function openTaskRuns(active: RunAttempt, taskRuns: Map<string, TaskRun>): Promise<ReadonlyMap<string, TaskRun>> {
  await inSlices(taskRuns, ([key, row]) => {
    if (row.state.type === 'COMPLETED') return;
    const open = {
      ...row,
      state: stateOf('SCHEDULED', 'Scheduled', 'Opened by a retry of the flow'),
      endedAt: null,
      dueAt: null,
      failures: 0,
    };
    // Not awaited: it is flushed with the run's next state.
    active.record.setTask(null, open).catch(() => undefined);
    taskRuns.set(key, open);
  });
  return taskRuns;
}

async function allows(active: RunAttempt, error: unknown): Promise<boolean> {
  const { retryIf } = active.definition.retry;
  if (retryIf === null) return true;
  try {
    return await active.untilForced(() => runScope.run(active.scope(null, null), () => retryIf(error, active.run.attempt)));
  } catch (thrown) {
    if (!active.stopReason) active.log.error({ err: thrown }, 'retryIf of the flow threw; the run is not retried.');
    return false;
  }
}
