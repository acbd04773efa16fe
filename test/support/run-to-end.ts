/** Runs a flow in an engine of the test's own to its end. */
import type { FlowClass } from 'batuta';
import type { Run, TaskRun } from '../../src/model/run.ts';
import type { OpenEngine } from './open-engine.ts';

/** A run that has ended. */
export interface Ended {
  readonly run: Run;
  readonly tasks: readonly TaskRun[];
  /** What it gave; undefined unless it has completed. */
  readonly value: unknown;
}

export async function runToEnd({ client, store }: OpenEngine, flow: FlowClass, params: unknown = {}): Promise<Ended> {
  const handle = await client.submit(flow, params);
  const run = await handle.done();
  const value = run.state.type === 'COMPLETED' ? await handle.result() : undefined;
  return { run, tasks: await store.taskRuns.ofRun(handle.id), value };
}

/** Its task run of that name, the first. */
export function named({ tasks }: Ended, name: string): TaskRun | undefined {
  return tasks.find((task) => task.name === name);
}
