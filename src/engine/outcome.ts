/** What became of a task run, for those that wait for it. */
import { errorOf } from '../model/failure.ts';
import type { TaskRun } from '../model/run.ts';
import type { ActiveRun } from './active-run.ts';
import { loadValue } from './results.ts';

export type TaskOutcome =
  | { readonly kind: 'succeeded'; readonly value: unknown }
  | { readonly kind: 'skipped' }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'cancelled'; readonly error: unknown };

/** The outcome that was recorded earlier. A value that is gone makes it failed: running the task again is for people to decide. */
export async function outcomeOf(active: ActiveRun, recorded: TaskRun): Promise<TaskOutcome> {
  if (recorded.state.name === 'Skipped') return { kind: 'skipped' };
  if (recorded.state.type === 'COMPLETED') {
    try {
      return { kind: 'succeeded', value: await loadValue(active.services.results, recorded) };
    } catch (error) {
      return { kind: 'failed', error };
    }
  }
  return { kind: 'failed', error: recorded.error ? errorOf(recorded.error) : new Error(recorded.state.message ?? 'It failed.') };
}

/** The value of an outcome; undefined when it was skipped. @throws what the task failed with, or why it was stopped. */
export function valueOf(outcome: TaskOutcome): unknown {
  if (outcome.kind === 'succeeded') return outcome.value;
  if (outcome.kind === 'skipped') return undefined;
  throw outcome.error;
}
