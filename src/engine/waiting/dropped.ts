/**
 * What a code flow still waits for when its body has settled: nothing can want it any more, so it is dropped. What is being executed is
 * finished; what waits, for an instant, a signal, a slot or a worker, is Cancelled, and its promise never settles.
 */
import { BatutaError } from '../../base/errors.ts';
import { stateOf } from '../../model/state.ts';
import type { RunAttempt } from '../run/run-attempt.ts';

/** Why it ended. */
export const dropped = new BatutaError('RUN_STATE_REFUSED', 'The flow ended without it.');
/** Its recorded state. */
export const droppedState = stateOf('CANCELLED', 'Cancelled', dropped.message);

/** Whether the body has settled, so that what waits is dropped. A stopped run drops nothing: it may continue elsewhere. */
export function isDropped({ bodyOver, stopReason }: Pick<RunAttempt, 'bodyOver' | 'stopReason'>): boolean {
  return bodyOver?.aborted === true && stopReason === null;
}
