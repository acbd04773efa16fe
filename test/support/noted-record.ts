/** The record of a run over a recorder that only notes what is added. */
import { systemClock } from '../../src/base/clock.ts';
import { definitionOf } from '../../src/define/definition.ts';
import { type RecordOptions, RunRecord } from '../../src/engine/run/transition.ts';
import type { EngineEvent } from '../../src/model/events.ts';
import type { Artifact, Run, RunPatch, TaskRun, Transition } from '../../src/model/run.ts';
import type { ResourceUse } from '../../src/model/resource-use.ts';
import { type StateName, stateOf, type StateType } from '../../src/model/state.ts';
import { Lifecycle } from '../../src/observe/lifecycle.ts';
import { ownerNamed, taskRun } from '../contract/store/rows.ts';
import { makeFlow } from './make-flow.ts';

export const definition = definitionOf(makeFlow({ work: {} }));
export const claim = { runId: 'run', epoch: 3 };
export const broken: NonNullable<TaskRun['error']> = {
  name: 'Error',
  message: 'it broke',
  stack: null,
  code: null,
  cause: null,
  details: null,
};

/** What was added by one call. */
export interface Written {
  readonly patch?: RunPatch;
  readonly row?: TaskRun;
  readonly artifact?: Artifact;
  readonly use?: ResourceUse;
  readonly transition?: Transition | null;
  /** `isNew` and `mayWait`. */
  readonly flags?: readonly boolean[];
}

export interface NotedRecord {
  now: number;
  written: Written[];
  readonly told: EngineEvent[];
  readonly lifecycle: Lifecycle;
  /** Gives what each call returns; default resolved. */
  flush: () => Promise<void>;
  /** The record of a run that runs in its second attempt. */
  recordOf(run?: Partial<Run>, options?: Partial<RecordOptions>): RunRecord;
}

export function notedRecord(): NotedRecord {
  const add = (of: unknown, what: Written): Promise<void> => {
    if (of !== claim) throw new Error('It was added under another claim.');
    noted.written.push(what);
    return noted.flush();
  };
  const noted: NotedRecord = {
    now: 1_000,
    written: [],
    told: [],
    lifecycle: new Lifecycle(),
    flush: async () => undefined,
    recordOf: (run = {}, options = {}) =>
      new RunRecord({
        run: { id: 'run', flow: 'made', state: stateOf('RUNNING'), attempt: 2, startedAt: 500, ...run } as Run,
        ...{ claim, owner: ownerNamed('here'), definition, lifecycle: noted.lifecycle, clock: { ...systemClock, now: () => noted.now } },
        listener: (event) => void noted.told.push(event),
        recorder: {
          addRunPatch: (of, patch, transition) => add(of, { patch, transition }),
          addTaskRun: (of, row, transition, isNew = false, mayWait = false) => add(of, { row, transition, flags: [isNew, mayWait] }),
          addArtifact: (of, artifact) => add(of, { artifact }),
          addResourceUse: (of, use) => add(of, { use }),
        },
        ...options,
      }),
  };
  return noted;
}

/** The row of its task run in a state. */
export function rowIn(type: StateType, name?: StateName, changes: Partial<TaskRun> = {}): TaskRun {
  return taskRun('run', 'work', { id: 'task', state: stateOf(type, name), ...changes });
}
