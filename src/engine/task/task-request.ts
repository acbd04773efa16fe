/** A requested task run: by a graph, by a mapped task for an item, or by a call in a code flow. */
import type { TaskContext } from '../../model/context.ts';
import type { TaskRun } from '../../model/run.ts';
import type { TaskDefinition } from '../../model/task.ts';
import type { RunAttempt } from '../run/run-attempt.ts';
import type { Stage } from '../streams/stage.ts';
import { newRow } from './task-row.ts';

export interface TaskRequest {
  readonly definition: TaskDefinition;
  readonly key: string;
  readonly index: number | null;
  /** The method's arguments, given its context: a fresh copy on each call. */
  readonly args: (context: TaskContext) => readonly unknown[];
  /** Which arguments are given values (see `take`), in their order; default unknown. */
  readonly given?: readonly unknown[] | undefined;
  /** Identifies its item among those of a mapped task; default null. */
  readonly itemHash?: string | null;
  /** The arguments of a call, for display; default null. */
  readonly callArgs?: TaskRun['callArgs'];
  readonly dependsOn: readonly string[] | null;
  /** Whether no other task waits for it: its end may then share the flush of what follows, see `LaterWrites`. */
  readonly isLast?: boolean;
  /** Its part in a segment; default none. */
  readonly stage?: Stage;
}

/** The row of a requested task: the recorded one, or a new one. */
export function requestedRow(active: RunAttempt, request: TaskRequest, previous: TaskRun | null, failures?: number): TaskRun {
  const { definition, key, index, dependsOn, itemHash = null, callArgs = null } = request;
  if (previous) return { ...previous, index, dependsOn, itemHash, callArgs, ...(failures === undefined ? null : { failures }) };
  return newRow(active, key, definition.name, index, dependsOn, itemHash, callArgs);
}
