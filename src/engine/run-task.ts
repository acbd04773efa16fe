/** One task run from its first attempt to its end: condition, place, attempts, retries, record. */
import { BatutaError, isBatutaError } from '../base/errors.ts';
import type { TaskContext } from '../model/context.ts';
import { failureOf } from '../model/failure.ts';
import { retryDelayMs } from '../model/retry.ts';
import type { TaskRun } from '../model/run.ts';
import { runScope } from '../model/run-context.ts';
import { isTerminal, stateOf } from '../model/state.ts';
import type { TaskDefinition } from '../model/task.ts';
import type { ActiveRun } from './active-run.ts';
import { renderName } from './names.ts';
import type { TaskOutcome } from './outcome.ts';
import { encodeValue, noValue, type StoredValue, storeValue, isLarge } from './results.ts';
import { type Settlement, TaskExecution } from './task-execution.ts';

export interface TaskRequest {
  readonly definition: TaskDefinition;
  readonly key: string;
  readonly index: number | null;
  /** The method's arguments, given its context. */
  readonly args: (context: TaskContext) => readonly unknown[];
  readonly dependsOn: readonly string[] | null;
}

/**
 * Runs a task until it is recorded as ended. The outcome is durable when the promise resolves.
 *
 * @throws BatutaError STORE_… when it could not be recorded.
 */
export async function runTask(active: ActiveRun, request: TaskRequest): Promise<TaskOutcome> {
  const { definition } = request;
  const previous = active.recorded.get(request.key) ?? null;
  let row = firstRow(active, request, previous);
  let from = previous && !isTerminal(previous.state.type) ? previous.state.type : null;
  let failures = failuresOf(previous);
  if (previous?.state.name === 'AwaitingRetry' && previous.dueAt !== null) await pause(active, previous.dueAt - active.services.clock.now());

  for (;;) {
    const place = active.slots.take(definition.priority);
    if (place) await place;
    let settlement: Settlement;
    let execution: TaskExecution;
    let stored: StoredValue = noValue;
    try {
      if (active.stopReason) return await recordStopped(active, row, from, active.stopReason);
      const started = await begin(active, request, row, from);
      if (started === 'skipped') return { kind: 'skipped' };
      execution = started.execution;
      row = execution.row;
      from = 'RUNNING';
      settlement = started.fault ?? (await settled(execution, started.args));
      if (settlement.kind === 'value' && definition.persist) {
        try {
          const text = encodeValue(settlement.value, `result of task ${row.key}`);
          stored = text !== null && isLarge(text) ? await storeValue(active.services.results, `${row.runId}/${row.id}`, text) : { result: text, resultRef: null };
        } catch (error) {
          settlement = { kind: 'error', error };
        }
      }
    } finally {
      active.slots.give();
    }
    row = { ...execution.row, ...execution.reported };

    if (settlement.kind === 'value') {
      execution.queueRejects();
      await active.record.setTask(from, { ...row, ...stored, state: completed, endedAt: active.services.clock.now() });
      return { kind: 'succeeded', value: settlement.value };
    }
    if (settlement.kind === 'stopped') return recordStopped(active, row, from, settlement.error);

    failures++;
    if (active.stopReason === null && (await mayRetry(definition, settlement.error, failures, row.attempt, execution))) {
      const waitMs = delayFor(active, definition, failures, settlement.error, execution);
      row = { ...row, state: stateOf('SCHEDULED', 'AwaitingRetry', messageOf(settlement.error)), dueAt: active.services.clock.now() + waitMs, error: failureOf(settlement.error) };
      from = 'SCHEDULED';
      // Not awaited: the wait itself depends on nothing that is recorded.
      active.record.setTask('RUNNING', row).catch(() => undefined);
      execution.logger().warn({ err: settlement.error }, `Attempt ${row.attempt} failed, next in ${waitMs} ms: ${messageOf(settlement.error)}`);
      await pause(active, waitMs);
      continue;
    }
    const name = settlement.kind === 'timeout' ? 'TimedOut' : 'Failed';
    execution.queueRejects();
    execution.logger().error({ err: settlement.error }, `Failed: ${messageOf(settlement.error)}`);
    await active.record.setTask(from, { ...row, state: stateOf('FAILED', name, messageOf(settlement.error)), error: failureOf(settlement.error), endedAt: active.services.clock.now() });
    return { kind: 'failed', error: settlement.error };
  }
}

const completed = stateOf('COMPLETED');
const running = stateOf('RUNNING');
const retrying = stateOf('RUNNING', 'Retrying');

/** Records a task that never ran, with the state that says why. Resolves once durable. */
export function recordUnrun(active: ActiveRun, key: string, name: string, index: number | null, state: TaskRun['state'], error: TaskRun['error'] = null): Promise<void> {
  const previous = active.recorded.get(key);
  if (previous?.state.name === state.name && previous.state.type === state.type) return Promise.resolve();
  const row: TaskRun = { ...(previous ?? newRow(active, key, name, index, null)), state, error, endedAt: active.services.clock.now(), dueAt: null };
  return active.record.setTask(null, row);
}

/** A row before anything was done for it. */
export function newRow(active: ActiveRun, key: string, name: string, index: number | null, dependsOn: readonly string[] | null): TaskRun {
  return {
    id: active.services.makeId(),
    runId: active.run.id,
    name,
    key,
    displayName: null,
    index,
    state: running,
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
  };
}

function firstRow(active: ActiveRun, { definition, key, index, dependsOn }: TaskRequest, previous: TaskRun | null): TaskRun {
  return previous ? { ...previous, dependsOn } : newRow(active, key, definition.name, index, dependsOn);
}

/** Failures that count against the retries when a recorded row is taken up again: what a crash interrupted does not. */
function failuresOf(previous: TaskRun | null): number {
  if (!previous) return 0;
  if (previous.state.name === 'AwaitingRetry') return previous.attempt;
  return previous.state.type === 'RUNNING' ? Math.max(0, previous.attempt - 1) : 0;
}

interface Begun {
  readonly execution: TaskExecution;
  readonly args: readonly unknown[];
  /** Set when the condition or the name threw: the attempt has failed before its method was called. */
  readonly fault: Settlement | null;
}

/** Asks the condition, then records the attempt as running. */
async function begin(active: ActiveRun, request: TaskRequest, before: TaskRun, from: TaskRun['state']['type'] | null): Promise<Begun | 'skipped'> {
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
      if (!(await runScope.run(execution, () => when.apply(undefined, args as unknown[])))) {
        await recordUnrun(active, request.key, definition.name, request.index, stateOf('COMPLETED', 'Skipped', 'Its condition (when) was not met.'));
        return 'skipped';
      }
    } catch (error) {
      fault = { kind: 'error', error };
    }
  }
  if (definition.runName !== null) {
    try {
      execution.row = { ...base, displayName: renderName(definition.runName, args, { ...fieldsOf(active.params), index: request.index, item: args[0] }) };
    } catch (error) {
      fault ??= { kind: 'error', error };
    }
  }
  // Not awaited: the row of a quick task shares the flush of its end.
  active.record.setTask(from, execution.row).catch(() => undefined);
  return { execution, args, fault };
}

async function settled(execution: TaskExecution, args: readonly unknown[]): Promise<Settlement> {
  return execution.execute(args);
}

/** What stopped runs leave: Cancelled; nothing when another owner goes on from what is recorded. */
async function recordStopped(active: ActiveRun, row: TaskRun, from: TaskRun['state']['type'] | null, error: BatutaError): Promise<TaskOutcome> {
  if (error.code !== 'LEASE_LOST' && error.code !== 'SHUTDOWN') {
    await active.record.setTask(from, { ...row, state: stateOf('CANCELLED', 'Cancelled', error.message), dueAt: null, endedAt: active.services.clock.now() });
  }
  return { kind: 'cancelled', error };
}

async function mayRetry({ retry }: TaskDefinition, error: unknown, failures: number, attempt: number, execution: TaskExecution): Promise<boolean> {
  if (failures > retry.retries || isBatutaError(error, 'RESULT_NOT_SERIALIZABLE') || isBatutaError(error, 'ISOLATION_UNAVAILABLE')) return false;
  if (retry.retryIf === null) return true;
  try {
    return await retry.retryIf(error, attempt);
  } catch (thrown) {
    execution.logger().error({ err: thrown }, 'retryIf threw; the task is not retried.');
    return false;
  }
}

function delayFor(active: ActiveRun, { retry }: TaskDefinition, failures: number, error: unknown, execution: TaskExecution): number {
  try {
    return retryDelayMs(retry, failures, error, active.services.random);
  } catch (thrown) {
    execution.logger().error({ err: thrown }, 'retryDelay threw; the next attempt follows at once.');
    return 0;
  }
}

/** Waits, or less when the run is stopped. */
async function pause(active: ActiveRun, ms: number): Promise<void> {
  if (ms <= 0) return;
  try {
    await active.services.clock.sleep(ms, active.signal);
  } catch (error) {
    if (!active.stopReason) throw error;
  }
}

function messageOf(error: unknown): string {
  return failureOf(error).message;
}

function fieldsOf(params: unknown): object {
  return typeof params === 'object' && params !== null ? params : {};
}
