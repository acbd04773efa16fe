/** How a run waits for its limit's slot, in the process that owns it. */
import { isTerminal } from '../../model/state.ts';
import type { RunAttempt } from '../run/run-attempt.ts';
import type { SlotEnd } from './run-slots.ts';

/**
 * Waits until the limit of a run has a slot for it, or the run is stopped. If the run was dropped already, only calls the listener.
 *
 * @param lose called if the run has another owner
 * @throws BatutaError STORE_…
 */
export async function awaitSlot({ record, services, signal, stopReason, activity }: RunAttempt, lose: () => void): Promise<SlotEnd> {
  const { state } = record.run;
  if (state.name === 'AwaitingSlot' || isTerminal(state.type)) record.tellRun();
  if (isTerminal(state.type)) return 'skipped';
  if (stopReason) return 'stopped';
  const onState = record.noteState.bind(record);
  const end = await activity.work(() => services.limits.runs.waitFor(record.claim, { signal, onState }));
  if (end === 'lost') lose();
  return end;
}
