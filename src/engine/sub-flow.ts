/** A flow that runs as part of another: a run of its own, and a task run in the parent that stands for it. */
import type { FlowClass } from '../model/context.ts';
import { errorOf, failureOf } from '../model/failure.ts';
import type { Run, TaskRun } from '../model/run.ts';
import { isTerminal, stateOf } from '../model/state.ts';
import { type BatutaError, isBatutaError } from '../base/errors.ts';
import type { FlowDefinition } from '../model/flow.ts';
import { outcomeOf, valueOf } from './outcome.ts';
import { loadValue } from './results.ts';
import type { ActiveRun } from './active-run.ts';
import { newRow } from './task-row.ts';

/** A sub-flow's run under way. */
export interface SubFlowRun {
  readonly runId: string;
  /** The run once it has ended and is recorded. */
  readonly ended: Promise<Run>;
  /** Asks it to end; `force` does not wait for its code. */
  stop(reason: BatutaError, force: boolean): void;
}

/** What starts or continues a sub-flow's run. Given by the engine. */
export interface StartSubFlow {
  definitionOf(flow: FlowClass): FlowDefinition;
  /**
   * Starts the run of that id, continues it when it was started before, or gives its end.
   *
   * @throws BatutaError PARAMS_INVALID
   */
  start(
    definition: FlowDefinition,
    params: unknown,
    parent: { readonly runId: string; readonly taskRunId: string },
    id: string,
  ): Promise<SubFlowRun>;
}

/** The body that calls the sub-flow. */
export interface Caller {
  readonly active: ActiveRun;
  keyOf(name: string, inputs: readonly unknown[]): string;
}

/** Runs the flow, or continues what was recorded of it, and gives its value. @throws what it failed with. */
export async function runSubFlow(caller: Caller, sub: StartSubFlow, flow: FlowClass, params: unknown): Promise<unknown> {
  const { active } = caller;
  if (active.stopReason) throw active.stopReason;
  const definition = sub.definitionOf(flow);
  const name = `flow:${definition.name}`;
  const key = caller.keyOf(name, [params]);
  const recorded = active.recorded.get(key);
  if (recorded?.state.type === 'COMPLETED' || recorded?.state.type === 'FAILED') return valueOf(await outcomeOf(active, recorded));

  const before: TaskRun = recorded ?? newRow(active, key, name, null, null);
  const childRunId = before.childRunId ?? active.services.makeId();
  const row: TaskRun = {
    ...before,
    state: stateOf('RUNNING'),
    attempt: before.attempt + 1,
    startedAt: before.startedAt ?? active.services.clock.now(),
    endedAt: null,
    error: null,
    childRunId,
  };
  // Durable before the child exists: else a crash in between would leave a child that nobody knows, and start another.
  await active.record.setTask(recorded && !isTerminal(recorded.state.type) ? recorded.state.type : null, row);
  try {
    const run = await sub.start(definition, params, { runId: active.run.id, taskRunId: row.id }, childRunId);
    active.live.add(run);
    if (active.stopReason) run.stop(active.stopReason, active.forced);
    const ended = await run.ended.finally(() => active.live.delete(run));
    return await settle(active, row, ended);
  } catch (error) {
    if (!isBatutaError(error, 'PARAMS_INVALID')) throw error;
    await active.record.setTask('RUNNING', {
      ...row,
      state: stateOf('FAILED', 'Failed', error.message),
      endedAt: active.services.clock.now(),
      error: failureOf(error),
      childRunId: null,
    });
    throw error;
  }
}

async function settle(active: ActiveRun, row: TaskRun, ended: Run): Promise<unknown> {
  const { state } = ended;
  if (!isTerminal(state.type)) throw active.stopReason ?? new Error(`The sub-flow run ${ended.id} was given up in state ${state.name}.`);
  const error = ended.error ? errorOf(ended.error) : new Error(state.message ?? `The sub-flow ended ${state.name}.`);
  await active.record.setTask('RUNNING', {
    ...row,
    state: state.type === 'CRASHED' ? stateOf('FAILED', 'Failed', state.message) : state,
    endedAt: active.services.clock.now(),
    result: ended.result,
    resultRef: ended.resultRef,
    error: state.type === 'COMPLETED' ? null : (ended.error ?? failureOf(error)),
  });
  if (state.type === 'CANCELLED') throw active.stopReason ?? error;
  if (state.type !== 'COMPLETED') throw error;
  return loadValue(active.services.results, ended);
}
