/** Claims the run that a ticket names. */
import type { Ticket } from '../src/broker/broker.ts';
import { rowAwaitedMs } from '../src/client/enqueue.ts';
import type { Engine } from '../src/engine/engine.ts';
import type { Run } from '../src/model/run.ts';

/**
 * The run as claimed; null when it is not to be had: ended, held, not due, or not there. The first ticket of a run may be quicker than its row, so
 * that one is asked for again, at once and then at growing distances, for `rowAwaitedMs`.
 *
 * @throws BatutaError STORE_…
 */
export async function claimTicket(engine: Engine, { id, epoch }: Ticket): Promise<Run | null> {
  let waitedMs = 0;
  for (let ms = 0; ; ms = Math.max(1, ms * 2)) {
    let isMissing = false;
    const run = await engine.claim(id, () => {
      isMissing = true;
    });
    if (!isMissing || epoch !== 0 || waitedMs >= rowAwaitedMs) return run;
    if (ms > 0) await engine.services.clock.sleep(ms);
    waitedMs += ms;
  }
}
