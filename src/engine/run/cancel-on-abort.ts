/** A signal of the caller's that cancels a run. */
import type { FlowRun } from './run-flow.ts';

/** Cancels the run when the signal aborts, or has aborted. Gives what ends this: a signal may outlive many runs. */
export function cancelOnAbort(signal: AbortSignal | null | undefined, flowRun: FlowRun): () => void {
  if (!signal) return () => undefined;
  const cancel = (): void =>
    flowRun.cancel(signal.reason instanceof Error && signal.reason.name !== 'AbortError' ? signal.reason.message : null);
  if (signal.aborted) cancel();
  else signal.addEventListener('abort', cancel, { once: true });
  return () => signal.removeEventListener('abort', cancel);
}
