/** A run that some process executes, as its caller holds it. */
import type { Run } from '../model/run.ts';
import type { RunHandle, RunsClient } from './client.ts';
import { endedBadly } from './run-handle.ts';

/**
 * Handle of a recorded run; it looks at the record.
 *
 * @param valueOf gives the value of a completed run
 */
export function remoteHandle(
  runs: Pick<RunsClient, 'get' | 'watch' | 'cancel'>,
  id: string,
  valueOf: (run: Run) => Promise<unknown>,
): RunHandle {
  const done = async (): Promise<Run> => {
    let last: Run | null = null;
    for await (const { run } of runs.watch(id)) last = run;
    return last ?? (await runs.get(id));
  };
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
  };
}
