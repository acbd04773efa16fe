/** Follows a run from any process: reads when the database has changed, else rests. */
import type { Clock } from '../base/clock.ts';
import { BatutaError } from '../base/errors.ts';
import type { Run, TaskRun } from '../model/run.ts';
import { isTerminal } from '../model/state.ts';
import type { Store } from '../store/store.ts';

/** Between two polls of the database. */
const pollMs = 100;
/** Rows are read again after at most this many polls if the database cannot report changes. */
const looksPerRead = 5;
/** The same if it can: it does not report this process's own writes. */
const looksPerNet = 10;

/** Yields at once and then on every change until the run is terminal or `signal` aborts. @throws BatutaError RUN_NOT_FOUND */
export async function* watchRun(
  store: Store,
  clock: Clock,
  id: string,
  signal?: AbortSignal,
): AsyncGenerator<{ readonly run: Run; readonly taskRuns: readonly TaskRun[] }> {
  const followed = store.taskRuns.follow(id);
  let taskRuns: readonly TaskRun[] = [];
  let seen = '';
  for (let look = 0; !signal?.aborted; look++) {
    const version = store.dataVersion();
    const run = await store.runs.get(id);
    if (!run) throw new BatutaError('RUN_NOT_FOUND', `No run has the id ${id}.`, { details: { runId: id } });
    const changed = await followed.read(isTerminal(run.state.type));
    const now = `${run.state.name} ${run.attempt}`;
    taskRuns = changed ?? taskRuns;
    if (changed || now !== seen) yield { run, taskRuns };
    seen = now;
    if (isTerminal(run.state.type)) return;
    await restUntilChange(store, clock, version, signal);
  }
}

/** The run once it is terminal, or when `signal` aborts. Its task runs are not read. @throws BatutaError RUN_NOT_FOUND */
export async function awaitEnd(store: Store, clock: Clock, id: string, signal?: AbortSignal): Promise<Run> {
  for (;;) {
    const version = store.dataVersion();
    const run = await store.runs.get(id);
    if (!run) throw new BatutaError('RUN_NOT_FOUND', `No run has the id ${id}.`, { details: { runId: id } });
    if (isTerminal(run.state.type) || signal?.aborted) return run;
    await restUntilChange(store, clock, version, signal);
  }
}

async function restUntilChange(store: Store, clock: Clock, version: number | null, signal?: AbortSignal): Promise<void> {
  for (let look = 0; look < (version === null ? looksPerRead : looksPerNet); look++) {
    await clock.sleep(pollMs, signal).catch(() => undefined);
    if (signal?.aborted || (version !== null && store.dataVersion() !== version)) return;
  }
}
