/** A run that some worker executes, as its caller holds it. */
import type { Run } from '../../model/run.ts';
import { decodeValue } from '../../model/values.ts';
import type { RunHandle, RunsClient } from '../client.ts';
import { endedBadly } from '../run-handle.ts';

/** Handle of a run of a server. */
export function httpHandle(runs: RunsClient, id: string): RunHandle {
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
      if (run.state.type === 'COMPLETED') return decodeValue(run.result);
      throw endedBadly(run, undefined);
    },
    async cancel(message) {
      await runs.cancel(id, message);
    },
  };
}
