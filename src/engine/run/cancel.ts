/** Cancels that reach beyond one run: of its remaining sub-flows, and by a signal of the caller. */
import { isTerminal } from '../../model/state.ts';
import type { EngineServices } from '../services.ts';

/**
 * Cancels the unfinished sub-flow runs below a run, at any depth: those without an owner are Cancelled at once; for the others the owner is
 * asked.
 */
export async function cancelBelow(services: EngineServices, runId: string, message: string): Promise<void> {
  const { runs } = services.store;
  for (const child of await runs.children(runId)) {
    if (isTerminal(child.state.type)) continue;
    await runs.requestCancel(child.id, services.clock.now(), message, services.isOwnerGone);
    await cancelBelow(services, child.id, message);
  }
}

/** Cancels the run when the signal aborts, or has aborted. Returns a function to stop this: a signal may outlive many runs. */
export function cancelOnAbort(signal: AbortSignal | null | undefined, run: { cancel(message: string | null): void }): () => void {
  if (!signal) return () => undefined;
  const cancel = (): void =>
    run.cancel(signal.reason instanceof Error && signal.reason.name !== 'AbortError' ? signal.reason.message : null);
  if (signal.aborted) cancel();
  else signal.addEventListener('abort', cancel, { once: true });
  return () => signal.removeEventListener('abort', cancel);
}
