/** Rows as a store would give them, with a fixed clock. */
import type { Run, TaskRun } from '../../../src/model/run.ts';
import { type State, stateOf } from '../../../src/model/state.ts';

/** Noon of a winter day, UTC. */
export const noon = Date.UTC(2026, 0, 15, 12, 0, 0);

export function runOf(change: Partial<Run> = {}): Run {
  return {
    id: '019bc1f2-7a00-7000-8000-000000000001',
    flow: 'flight-delays',
    flowVersion: 'abc123def456',
    name: 'quick-otter',
    deployment: null,
    parentRunId: null,
    parentTaskRunId: null,
    state: stateOf('RUNNING'),
    params: '{"json":{}}',
    result: null,
    resultRef: null,
    error: null,
    attempt: 1,
    recoveries: 0,
    tags: [],
    source: null,
    scheduledFor: null,
    scheduleId: null,
    backfillId: null,
    concurrencyKey: null,
    dueAt: null,
    createdAt: noon,
    startedAt: noon,
    endedAt: null,
    executedMs: null,
    resumedAt: null,
    mapped: null,
    cancelRequestedAt: null,
    epoch: 1,
    owner: null,
    leaseUntil: null,
    queue: 'default',
    priority: 0,
    ...change,
  };
}

export function taskRunOf(name: string, state: State, change: Partial<TaskRun> = {}): TaskRun {
  const key = change.index == null ? name : `${name}[${change.index}]`;
  return {
    id: `id-of-${key}`,
    runId: runOf().id,
    name,
    key,
    displayName: null,
    index: null,
    state,
    attempt: 1,
    startedAt: noon,
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
    ...change,
  };
}
