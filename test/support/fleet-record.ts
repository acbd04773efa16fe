/** What the record and the ledger of a fleet say of runs that have been through trouble. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Run } from '../../src/model/run.ts';
import type { Fleet } from './fleet.ts';

/** All runs once they have ended. */
export async function ends(fleet: Fleet, ids: readonly string[]): Promise<Run[]> {
  const { store } = fleet.client.engine.services;
  const runs: Run[] = [];
  for (const id of ids) {
    for (;;) {
      const run = await store.runs.get(id);
      if (run === null) throw new Error(`The run ${id} is gone.`);
      if (run.endedAt !== null) {
        runs.push(run);
        break;
      }
      await sleep(100);
    }
  }
  return runs;
}

/** Tasks that were recorded more than once, or started after they had been. */
export async function doneAgain(fleet: Fleet, ids: readonly string[]): Promise<string[]> {
  const { store } = fleet.client.engine.services;
  const starts = new Map<string, { readonly at: number; readonly pid: number }[]>();
  for (const { run, task, what, at, pid } of fleet.readLedger()) {
    const key = `${run} ${task}`;
    if (what === 'start') starts.set(key, [...(starts.get(key) ?? []), { at, pid }]);
  }
  const found: string[] = [];
  for (const id of ids) {
    const [taskRuns, transitions] = await Promise.all([store.taskRuns.ofRun(id), store.transitions.ofRun(id)]);
    for (const { id: taskRunId, key, childRunId } of taskRuns) {
      const records = transitions.filter((row) => row.taskRunId === taskRunId && row.type === 'COMPLETED');
      if (records.length !== 1) found.push(`${id} ${key}: recorded ${records.length} times`);
      const recordedAt = records[0]?.at ?? Infinity;
      const started = starts.get(`${id} ${key}`) ?? [];
      if (started.length === 0 && childRunId === null) found.push(`${id} ${key}: recorded, but never executed`);
      if (started.some(({ at }) => at > recordedAt)) {
        const executions = started.map(({ at, pid }) => `${at - recordedAt} ms by ${pid}`);
        const history = transitions.map(({ at, name, taskRunId: of, owner }) => `${at - recordedAt} ${of ?? 'run'} ${name} by ${owner}`);
        found.push(`${id} ${key}: executed after it was recorded: ${executions.join(', ')}\n${history.join('\n')}`);
      }
    }
  }
  return found;
}
