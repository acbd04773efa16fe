/** How a task run ended, for those that wait for it. */
import { isError } from '../../model/error-parts.ts';
import { errorOf, type Failure, failureOf } from '../../model/failure.ts';
import type { TaskRun } from '../../model/run.ts';
import type { RunAttempt } from '../run/run-attempt.ts';
import { take } from '../values/given-value.ts';
import { loadGiven } from '../values/results.ts';

export type TaskOutcome =
  /** `given` is for `take`. */
  | { readonly kind: 'succeeded'; readonly given: unknown }
  | { readonly kind: 'skipped' }
  /** `error` as thrown, if known; `failure` as recorded, null if there is none. */
  | { readonly kind: 'failed'; readonly error: unknown; readonly failure: Failure | null }
  | { readonly kind: 'cancelled'; readonly error: unknown };

/** The outcome recorded earlier. If the value is gone, it is failed: whether to run the task again is for people to decide. */
export async function outcomeOf(active: RunAttempt, recorded: TaskRun): Promise<TaskOutcome> {
  if (recorded.state.name === 'Skipped') return { kind: 'skipped' };
  if (recorded.state.type === 'COMPLETED') {
    try {
      return { kind: 'succeeded', given: await loadGiven(active.services.results, recorded) };
    } catch (error) {
      return { kind: 'failed', error, failure: failureOf(error) };
    }
  }
  const { error, state } = recorded;
  return { kind: 'failed', error: error ? errorOf(error) : new Error(state.message ?? 'It failed.'), failure: error };
}

/** What was thrown, by the error that represents it in the body of a code flow. */
const originals = new WeakMap<Error, unknown>();

/**
 * The error of a recorded failure, for the body of a code flow: what a `catch` there decides by must be the same when the body runs again
 * from the record.
 *
 * @param thrown what `thrownAs` returns for it
 */
export function recordedError(failure: Failure, thrown: unknown): Error {
  const error = errorOf(failure);
  originals.set(error, thrown);
  return error;
}

/** What was thrown in this process if an error represents it, else the error itself. */
export function thrownAs(error: unknown): unknown {
  return isError(error) && originals.has(error) ? originals.get(error) : error;
}

/**
 * The value of an outcome, as a copy; undefined if it was skipped.
 *
 * @throws what the task failed with, as recorded, or why it was stopped.
 */
export function valueOf(outcome: TaskOutcome): unknown {
  if (outcome.kind === 'succeeded') return take(outcome.given);
  if (outcome.kind === 'skipped') return undefined;
  throw outcome.kind === 'failed' && outcome.failure ? recordedError(outcome.failure, outcome.error) : outcome.error;
}
