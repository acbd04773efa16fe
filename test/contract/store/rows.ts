/** Rows to fill a store with. */
import { makeId } from '../../../src/base/id.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { LogLine, Owner, TaskRun, Transition } from '../../../src/model/run.ts';
import type { Claim, NewRun, Store } from '../../../src/store/store.ts';

export const ownerNamed = (id: string): Owner => ({ id, host: 'here', pid: 4711, processStartedAt: 1_763_820_000_000 });
export const owner = ownerNamed('here:4711:1');
export const leaseMs = 60_000;
export const startedAt = 1_763_820_000_000;

export function newRun(changes: Partial<NewRun> = {}): NewRun {
  return {
    id: makeId(),
    flow: 'flight-delays',
    flowVersion: 'v1',
    name: 'quick-otter',
    deployment: null,
    parentRunId: null,
    parentTaskRunId: null,
    state: stateOf('RUNNING'),
    params: '{"json":{"month":"01"}}',
    attempt: 1,
    tags: [],
    source: null,
    scheduledFor: null,
    dueAt: null,
    createdAt: startedAt,
    ...changes,
  };
}

export function taskRun(runId: string, key: string, changes: Partial<TaskRun> = {}): TaskRun {
  return {
    id: makeId(),
    runId,
    name: key.replace(/\[.*$/, ''),
    key,
    displayName: null,
    index: null,
    state: stateOf('RUNNING'),
    attempt: 1,
    startedAt,
    endedAt: null,
    dueAt: null,
    dependsOn: null,
    progress: null,
    metrics: null,
    result: null,
    resultRef: null,
    error: null,
    childRunId: null,
    itemHash: null,
    callArgs: null,
    ...changes,
  };
}

/** The change of state that a task run stands in. */
export function transitionOf(row: TaskRun, at = startedAt): Transition {
  return { runId: row.runId, taskRunId: row.id, at, ...row.state, attempt: row.attempt, owner: owner.id };
}

export function logLine(runId: string, message: string, changes: Partial<LogLine> = {}): LogLine {
  return { runId, taskRunId: null, at: startedAt, level: 30, message, fields: null, ...changes };
}

/** A run that `owner` holds with epoch 1. */
export async function startRun(store: Store, changes: Partial<NewRun> = {}): Promise<Claim> {
  const run = newRun(changes);
  await store.recorder.addRun(run, owner, leaseMs);
  return { runId: run.id, epoch: 1 };
}

/** Ends a run as its owner would. */
export async function endRun(
  store: Store,
  claim: Claim,
  type: 'COMPLETED' | 'FAILED' = 'COMPLETED',
  endedAt = startedAt + 10,
): Promise<void> {
  const state = stateOf(type);
  await store.recorder.addRunPatch(
    claim,
    { state, endedAt },
    { runId: claim.runId, taskRunId: null, at: endedAt, ...state, attempt: 1, owner: owner.id },
  );
  await store.runs.release(claim);
}
