/** The rollback of an owned run: whether there is one, where it continues, and how it ends. */
import { shortened } from '../../base/cut-text.ts';
import { BatutaError } from '../../base/errors.ts';
import { failureOf } from '../../model/failure.ts';
import { type IntendedEnd, type NotUndone, rollbackSentence } from '../../model/rollback.ts';
import { type State, stateOf } from '../../model/state.ts';
import type { RunAttempt } from '../run/run-attempt.ts';
import { hasRollback, rollBack } from './roll-back.ts';

/** The end of a run whose rollback an earlier owner began; null if none did. @throws BatutaError STORE_… */
export async function begunRollback({ definition, run, services }: RunAttempt): Promise<IntendedEnd | null> {
  // It had no owner before, so nothing can have been recorded.
  if (run.epoch === 1 || !hasRollback(definition)) return null;
  const found = await services.store.rollbacks.get(run.id);
  return found?.stage === 'begun' ? found.end : null;
}

/** Records the run's end after the rollback; false if there is nothing to undo. @throws BatutaError STORE_… */
export async function beginRollback({ definition, record, services }: RunAttempt, end: IntendedEnd): Promise<boolean> {
  if (end.state.type === 'COMPLETED' || !hasRollback(definition)) return false;
  return await services.store.rollbacks.begin(record.claim, end, services.clock.now());
}

/**
 * Undoes what the run has done and returns how it ends; null if it was stopped first, to continue from what is recorded.
 *
 * @param active an attempt of its own over the task runs as they are recorded
 * @throws BatutaError STORE_…
 */
export async function endRolledBack(active: RunAttempt, end: IntendedEnd): Promise<IntendedEnd | null> {
  const { record, services, log, run } = active;
  const message = `Rolls back: ${end.state.message ?? end.state.name}`;
  // Cancelling and Running stay as they are: only the message shows why the run continues.
  if (run.state.type === 'CANCELLING') record.repeatRun(stateOf('CANCELLING', 'Cancelling', message)).catch(() => undefined);
  else
    record
      .setRun(stateOf('RUNNING', 'Running', message), { startedAt: run.startedAt ?? services.clock.now(), dueAt: null })
      .catch(() => undefined);
  const result = await rollBack(active);
  if (result === null) return null;
  const { undone, remaining } = result;
  await services.store.rollbacks.finish(record.claim, result, services.clock.now());
  for (const { task, undo, message: why } of remaining) log.error({ task, undo }, `Task ${task} could not be undone by ${undo}: ${why}`);
  return endOf(end, undone, remaining);
}

/** Characters kept of the reason, so that what could not be undone is never cut off. */
const maxReasonChars = 500;

/** A run with something that could not be undone has Failed, whatever ended it. */
function endOf({ state, error }: IntendedEnd, undone: number, remaining: readonly NotUndone[]): IntendedEnd {
  const sentence = rollbackSentence(undone, remaining);
  const message = `${shortened(state.message ?? `${state.name}.`, maxReasonChars)} ${sentence}`;
  if (remaining.length === 0) return { state: { ...state, message: withMessage(state, message) }, error };
  const details = {
    rollback: 'incomplete',
    remaining: remaining.map(({ task, index, undo, message: why }) => ({ task, index, undo, message: why })),
  };
  return {
    state: stateOf('FAILED', state.type === 'FAILED' ? state.name : 'Failed', message),
    error: error ?? failureOf(new BatutaError('ROLLBACK_INCOMPLETE', message, { details })),
  };
}

function withMessage({ type, name }: State, message: string): string | null {
  return stateOf(type, name, message).message;
}
