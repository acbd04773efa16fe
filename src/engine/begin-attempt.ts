/** The start of an attempt: its arguments, its condition, its name, its row. */
import type { TaskContext } from '../model/context.ts';
import type { TaskRun } from '../model/run.ts';
import { runScope } from '../model/run-context.ts';
import { type StateType, stateOf } from '../model/state.ts';
import type { TaskDefinition } from '../model/task.ts';
import type { ActiveRun } from './active-run.ts';
import { renderName } from './names.ts';
import { type Settlement, TaskExecution } from './task-execution.ts';
import { recordUnrun } from './task-row.ts';

const running = stateOf('RUNNING');
const retrying = stateOf('RUNNING', 'Retrying');

export interface TaskRequest {
  readonly definition: TaskDefinition;
  readonly key: string;
  readonly index: number | null;
  /** The method's arguments, given its context. */
  readonly args: (context: TaskContext) => readonly unknown[];
  readonly dependsOn: readonly string[] | null;
  /** Whether no other task waits for it: its end may then share the flush of what follows, see `ActiveRun.waitLater`. */
  readonly isLast?: boolean;
}

export interface Begun {
  readonly execution: TaskExecution;
  readonly args: readonly unknown[];
  /** Set when the condition or the name threw: the attempt has failed before its method was called. */
  readonly fault: Settlement | null;
}

/** Asks the condition, then records the attempt as running. */
export async function beginAttempt(
  active: ActiveRun,
  request: TaskRequest,
  before: TaskRun,
  from: StateType | null,
): Promise<Begun | 'skipped'> {
  const { definition } = request;
  const attempt = before.attempt + 1;
  const now = active.services.clock.now();
  const base: TaskRun = {
    ...before,
    state: attempt > 1 ? retrying : running,
    attempt,
    startedAt: before.attempt === 0 ? now : (before.startedAt ?? now),
    endedAt: null,
    dueAt: null,
    progress: null,
    metrics: null,
    result: null,
    resultRef: null,
    error: null,
  };
  const execution = new TaskExecution(active, definition, base);
  const args = request.args(execution.context);
  let fault: Settlement | null = null;
  if (definition.when !== null && before.attempt === 0) {
    try {
      const { when } = definition;
      if (!(await active.untilForced(() => runScope.run(execution, () => when.apply(undefined, args as unknown[]))))) {
        await recordUnrun(
          active,
          request.key,
          definition.name,
          request.index,
          stateOf('COMPLETED', 'Skipped', 'Its condition (when) was not met.'),
        );
        return 'skipped';
      }
    } catch (error) {
      const { stopReason } = active;
      fault = stopReason ? { kind: 'stopped', error: stopReason } : { kind: 'error', error };
    }
  }
  if (definition.runName !== null) {
    try {
      execution.row = {
        ...base,
        displayName: renderName(definition.runName, args, { ...fieldsOf(active.params), index: request.index, item: args[0] }),
      };
    } catch (error) {
      fault ??= { kind: 'error', error };
    }
  }
  // Not awaited: the row of a quick task shares the flush of its end.
  active.record.setTask(from, execution.row).catch(() => undefined);
  return { execution, args, fault };
}

function fieldsOf(params: unknown): object {
  return typeof params === 'object' && params !== null ? params : {};
}
