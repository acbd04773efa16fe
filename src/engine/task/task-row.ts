/** Rows of task runs: a new one, and that of a task that never ran. */
import type { TaskRun } from '../../model/run.ts';
import { stateOf } from '../../model/state.ts';
import type { RunAttempt } from '../run/run-attempt.ts';

/** State of a row that is not recorded at all. */
export const pending = stateOf('PENDING');

/** What else is recorded of a task that never ran. */
export type UnrunFacts = Partial<Pick<TaskRun, 'error' | 'itemHash' | 'callArgs'>>;

/** Records a task that never ran, with a state that says why. Resolves once durable. */
export function recordUnrun(
  active: RunAttempt,
  key: string,
  name: string,
  index: number | null,
  state: TaskRun['state'],
  { error = null, ...more }: UnrunFacts = {},
): Promise<void> {
  const previous = active.recorded.get(key);
  if (previous?.state.name === state.name && previous.state.type === state.type) return Promise.resolve();
  const row: TaskRun = {
    ...(previous ?? newRow(active, key, name, index, null)),
    ...more,
    state,
    error,
    endedAt: active.services.clock.now(),
    dueAt: null,
  };
  return active.record.setTask(null, row);
}

/** A row before anything was done for it. */
export function newRow(
  active: RunAttempt,
  key: string,
  name: string,
  index: number | null,
  dependsOn: readonly string[] | null,
  itemHash: string | null = null,
  callArgs: TaskRun['callArgs'] = null,
): TaskRun {
  return {
    id: active.services.makeId(),
    runId: active.run.id,
    name,
    key,
    displayName: null,
    index,
    state: pending,
    attempt: 0,
    startedAt: null,
    endedAt: null,
    dueAt: null,
    dependsOn,
    progress: null,
    metrics: null,
    result: null,
    resultRef: null,
    error: null,
    childRunId: null,
    itemHash,
    callArgs,
  };
}
