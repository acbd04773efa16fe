/** Runs a flow embedded, in a database of its own, and gives all that was recorded. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FlowClass } from 'batuta';
import { openClient, type RunInspection } from 'batuta/client';

// What flows log is not what these tests look at.
process.env.BATUTA_LOG_LEVEL = 'silent';

/** A run with its task runs told by name. */
export interface Recorded extends RunInspection {
  /** Names of the states of all task runs of a task, in the order of the record. */
  statesOf(task: string): string[];
  /** Attempts of the only task run of a task. */
  attemptsOf(task: string): number | undefined;
  artifact(name: string): unknown;
}

/** @param params the function form is given a folder that is removed afterwards */
export async function runHere(flow: FlowClass, params: object | ((folder: string) => object) = {}): Promise<Recorded> {
  const folder = await mkdtemp(join(tmpdir(), 'batuta-flow-'));
  const client = await openClient({ databaseUrl: `sqlite:${join(folder, 'test.db')}`, results: join(folder, 'results') });
  try {
    const handle = await client.submit(flow, typeof params === 'function' ? params(folder) : params);
    await handle.done();
    const inspection = await client.runs.inspect(handle.id);
    const named = (task: string) => inspection.taskRuns.filter((it) => it.name === task);
    return {
      ...inspection,
      statesOf: (task) => named(task).map((it) => it.state.name),
      attemptsOf: (task) => named(task)[0]?.attempt,
      artifact: (name) => inspection.artifacts.find((it) => it.name === name)?.data,
    };
  } finally {
    await client.close();
    await rm(folder, { recursive: true, force: true });
  }
}
