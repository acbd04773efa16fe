/** What the record and the ledger of a fleet say of runs that have been through trouble. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Run } from '../../src/model/run.ts';
import type { Fleet } from './fleet.ts';

/** By then whatever a process was stopped in the middle of has begun, on a machine that has little time for it, ms. */
const wakingMs = 1_000;

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

/** A process that was stopped in the middle of whatever it did, until this instant. */
export interface Freeze {
  readonly pid: number;
  readonly until: number;
}

/** An execution that began, by the ledger. */
interface Start {
  readonly at: number;
  readonly pid: number;
}

/**
 * Tasks that were recorded more than once, or started after they had been.
 *
 * A process may be stopped between its last look at the lease and the first line of a task. Nothing keeps that one task from beginning when
 * the process goes on, so each freeze excuses one; a second would have been begun by the engine, which asks before each.
 */
export async function doneAgain(fleet: Fleet, ids: readonly string[], freezes: readonly Freeze[] = []): Promise<string[]> {
  const { store } = fleet.client.engine.services;
  const starts = new Map<string, Start[]>();
  const excuses = new Set(freezes);
  const isExcused = ({ at, pid }: Start): boolean => {
    const excuse = [...excuses].find((freeze) => freeze.pid === pid && at >= freeze.until && at < freeze.until + wakingMs);
    return excuse !== undefined && excuses.delete(excuse);
  };
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
      if (started.some((start) => start.at > recordedAt && !isExcused(start))) {
        const executions = started.map(({ at, pid }) => `${at - recordedAt} ms by ${pid}`);
        const history = transitions.map(({ at, name, taskRunId: of, owner }) => `${at - recordedAt} ${of ?? 'run'} ${name} by ${owner}`);
        found.push(`${id} ${key}: executed after it was recorded: ${executions.join(', ')}\n${history.join('\n')}`);
      }
    }
  }
  return found;
}
