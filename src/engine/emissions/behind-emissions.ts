/** The end of an attempt follows its emissions. */
import { settledWithin } from '../../base/clock.ts';
import { isHandedBack } from '../run/run-attempt.ts';
import type { Settlement } from '../task/settlement.ts';
import type { TaskAttempt } from '../task/task-attempt.ts';

/** How long a task that is stopped by force waits for its emissions, ms. */
const lastRecordsMs = 1_000;

/**
 * How an attempt ended, once its emissions are recorded: it fails if a refused value was not awaited.
 *
 * Values emitted before a task was stopped would be refused once its run has ended; after a forced stop they are waited for briefly.
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
