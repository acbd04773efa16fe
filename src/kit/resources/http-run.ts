/** What a request takes from its run. */
import { currentScope } from '../../model/run-context.ts';

/** The signal of the calling code: aborted when its task is cancelled, times out or loses its lease. Undefined outside a run. */
export function currentSignal(): AbortSignal | undefined {
  const context = currentScope()?.context;
  const signal: unknown = typeof context === 'object' && context !== null && 'signal' in context ? context.signal : undefined;
  return signal instanceof AbortSignal ? signal : undefined;
}
