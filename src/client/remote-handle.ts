/** The handle of a run that some process executes. */
import type { Run } from '../model/run.ts';
import type { RunHandle, RunsClient } from './client.ts';
import { valuesOf } from './emissions.ts';
import { endedBadly } from './run-handle.ts';

/**
 * Handle of a recorded run; it reads the record.
 *
 * @param valueOf returns the value of a completed run
 */
export function remoteHandle(
  runs: Pick<RunsClient, 'get' | 'cancel' | 'emitted'> & { awaitEnd(id: string): Promise<Run> },
  id: string,
  valueOf: (run: Run) => Promise<unknown>,
): RunHandle {
  const done = (): Promise<Run> => runs.awaitEnd(id);
  return {
    id,
    get: () => runs.get(id),
    done,
    async result() {
      const run = await done();
      if (run.state.type === 'COMPLETED') return valueOf(run);
      throw endedBadly(run, undefined);
    },
    async cancel(message) {
      await runs.cancel(id, message);
    },
    stream: (stream, options) => valuesOf(() => runs.emitted(id, stream, options)),
  };
}
