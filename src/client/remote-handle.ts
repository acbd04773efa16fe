/** A run that some process executes, as its caller holds it. */
import type { Engine } from '../engine/engine.ts';
import { loadValue } from '../engine/results.ts';
import type { Run } from '../model/run.ts';
import type { RunHandle, RunsClient } from './client.ts';
import { endedBadly } from './run-handle.ts';

/** Handle of a recorded run; it looks at the record. */
export function remoteHandle(runs: RunsClient, engine: Engine, id: string): RunHandle {
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
      if (run.state.type === 'COMPLETED') return loadValue(engine.services.results, run);
      throw endedBadly(run, undefined);
    },
    async cancel(message) {
      await runs.cancel(id, message);
    },
  };
}
