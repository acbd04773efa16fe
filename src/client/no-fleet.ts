/** The refusal of a client that has no fleet. */
import { BatutaError } from '../base/errors.ts';

/** For what only workers can do, if none can be reached. */
export function noFleet(): BatutaError {
  return new BatutaError('BROKER_UNAVAILABLE', 'This client runs flows in its own process and reaches no workers; use openClient().');
}
