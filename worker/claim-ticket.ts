/** Claims the run that a ticket names. */
import type { Ticket } from '../src/broker/broker.ts';
import { rowAwaitedMs } from '../src/client/enqueue.ts';
import type { Engine } from '../src/engine/engine.ts';
import type { Run } from '../src/model/run.ts';

/**
 * The run as claimed; null when it is not to be had: ended, held, not due, or not there. The first ticket of a run may be quicker than its row, so
 * that one is looked for again, at growing distances, for `rowAwaitedMs`.
 *
 * @throws BatutaError STORE_…
 */
export async function claimTicket(engine: Engine, { id, epoch }: Ticket): Promise<Run | null> {
  const { store, clock } = engine.services;
  const run = await engine.claim(id);
  if (run !== null || epoch !== 0) return run;
  let waitedMs = 0;
  for (let ms = 1; ; ms *= 2) {
    const row = await store.runs.get(id);
    if (row !== null) return isUntouched(row) ? await engine.claim(id) : null;
    if (waitedMs >= rowAwaitedMs) return null;
    await clock.sleep(ms);
    waitedMs += ms;
  }
}

/** Whether nobody has looked at it since it was written; one that others have, or that waits for a slot, is not asked for twice. */
function isUntouched({ owner, state }: Run): boolean {
  return owner === null && state.name === 'Scheduled';
}
