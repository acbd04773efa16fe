/** The end of an attempt stands behind what it gave out. */
import { settledWithin } from '../../base/clock.ts';
import { isHandedBack } from '../run/run-attempt.ts';
import type { Settlement } from '../task/settlement.ts';
import type { TaskAttempt } from '../task/task-attempt.ts';

/** How long a task that is stopped by force waits for what it has given out, ms. */
const lastRecordsMs = 1_000;

/**
 * How an attempt ended, once what it gave out is recorded: a value that was refused and that nobody has waited for fails it.
 *
 * What a task gave out before it was stopped would be refused when its run has ended; of one that is stopped by force it is waited for a moment.
 */
export async function behindEmissions(execution: TaskAttempt, settlement: Settlement): Promise<Settlement> {
  const { active } = execution;
  if (settlement.kind === 'stopped' && isHandedBack(settlement.error)) return settlement;
  const emitted = execution.whenEmitted();
  if (settlement.kind === 'stopped') {
    await active.untilForced(() => emitted).catch(() => undefined);
    if (active.forced) await settledWithin(active.services.leaseClock, lastRecordsMs, emitted);
    return settlement;
  }
  const refused = await emitted;
  return refused && settlement.kind === 'value' ? { kind: 'error', error: refused } : settlement;
}
