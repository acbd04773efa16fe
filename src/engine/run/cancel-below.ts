/** Cancelling what a run has left behind in sub-flows. */
import { isTerminal } from '../../model/state.ts';
import type { EngineServices } from '../services.ts';

/**
 * Cancels the sub-flow runs below a run that have not ended, at any depth: those that nobody holds are Cancelled at once, the owner
 * of another is asked.
 */
export async function cancelBelow(services: EngineServices, runId: string, message: string): Promise<void> {
  const { runs } = services.store;
  for (const child of await runs.children(runId)) {
    if (isTerminal(child.state.type)) continue;
    await runs.requestCancel(child.id, services.clock.now(), message, services.isOwnerGone);
    await cancelBelow(services, child.id, message);
  }
}
