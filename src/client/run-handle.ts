/** The handle of a run executed by this process. */
import { BatutaError } from '../base/errors.ts';
import { errorOf } from '../model/failure.ts';
import type { Run } from '../model/run.ts';
import { submittedIn } from '../model/submitted.ts';
import { traceIdOf } from '../model/trace.ts';
import type { OwnedRun } from '../engine/run/owned-run.ts';
import type { Store } from '../store/store.ts';
import type { RunHandle, RunsClient } from './client.ts';
import { valuesOf } from './emissions.ts';

/** Handle of a run that the engine executes. @param ended the run as last recorded */
export function handleOf(store: Store, owned: OwnedRun, runs: Pick<RunsClient, 'emitted'>, ended = owned.ended): RunHandle {
  const { id } = owned.run;
  const done = async (): Promise<Run> => {
    const last = await ended;
    await store.recorder.flush();
    // The recorded row includes changes by other processes, e.g. who holds it now.
    return (await store.runs.get(id)) ?? last;
  };
  return {
    id,
    get: async () => (await store.runs.get(id)) ?? owned.run,
    done,
    async result() {
      const run = await done();
      if (owned.givenUp) throw owned.givenUp;
      if (run.state.type === 'COMPLETED') return owned.takeValue();
      throw endedBadly(run, owned.thrown);
    },
    async cancel(message) {
      owned.cancel(message ?? null);
    },
    stream: (stream, options) => valuesOf(() => runs.emitted(id, stream, options)),
  };
}

/** The error for a run that did not complete. Its cause is what was thrown, else the recorded failure. */
export function endedBadly(run: Run, thrown: unknown): BatutaError {
  const { traceparent } = submittedIn(run.params);
  const trace = traceparent === undefined ? {} : { traceId: traceIdOf(run.id, traceparent) };
  const details = { runId: run.id, flow: run.flow, state: run.state.name, ...trace };
  const cause = thrown ?? (run.error ? errorOf(run.error) : undefined);
  const message = `Run ${run.name} of ${run.flow} ended ${run.state.name}${run.state.message === null ? '' : `: ${run.state.message}`}`;
  if (run.state.type === 'CANCELLED') return new BatutaError('RUN_CANCELLED', message, { details, cause });
  if (run.error?.code === 'FLOW_TIMED_OUT') return new BatutaError('FLOW_TIMED_OUT', message, { details, cause });
  return new BatutaError('RUN_FAILED', message, { details, cause });
}
