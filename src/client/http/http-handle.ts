/** A run that some worker executes, as its caller holds it. */
import type { Run } from '../../model/run.ts';
import type { RunHandle } from '../client.ts';
import { endedBadly } from '../run-handle.ts';
import type { HttpRuns } from './http-runs.ts';

/** Handle of a run of a server. */
export function httpHandle(runs: HttpRuns, id: string): RunHandle {
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
      if (run.state.type === 'COMPLETED') return runs.resultOf(run);
      throw endedBadly(run, undefined);
    },
    async cancel(message) {
      await runs.cancel(id, message);
    },
  };
}
