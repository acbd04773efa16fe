/** A flow that runs as part of another: a run of its own, and a task run in the parent that stands for it. */
import type { FlowClass } from '../model/context.ts';
import { errorOf, failureOf } from '../model/failure.ts';
import type { Run, TaskRun } from '../model/run.ts';
import { isTerminal, stateOf } from '../model/state.ts';
import type { BatutaError } from '../base/errors.ts';
import type { FlowDefinition } from '../model/flow.ts';
import { outcomeOf } from './outcome.ts';
import { loadValue } from './results.ts';
import { type CallBook, valueOf } from './run-code.ts';
import { newRow } from './run-task.ts';

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
  /** @throws BatutaError PARAMS_INVALID */
  start(definition: FlowDefinition, params: unknown, parent: { readonly run: Run; readonly taskRunId: string }): Promise<SubFlowRun>;
  /** Continues a run that was started before, or gives its end. */
  resume(definition: FlowDefinition, runId: string): Promise<SubFlowRun>;
}

/** Runs the flow, or continues what was recorded of it, and gives its value. @throws what it failed with. */
export async function runSubFlow(calls: CallBook, sub: StartSubFlow, flow: FlowClass, params: unknown): Promise<unknown> {
  const { active } = calls;
  if (active.stopReason) throw active.stopReason;
  const definition = sub.definitionOf(flow);
  const name = `flow:${definition.name}`;
  const key = calls.keyOf(name, [params]);
  const recorded = active.recorded.get(key);
  if (recorded?.state.type === 'COMPLETED' || recorded?.state.type === 'FAILED') return valueOf(await outcomeOf(active, recorded));

  const { clock } = active.services;
  const before: TaskRun = recorded ?? newRow(active, key, name, null, null);
  let row: TaskRun = { ...before, state: stateOf('RUNNING'), attempt: before.attempt + 1, startedAt: before.startedAt ?? clock.now(), endedAt: null, error: null };
  const run = row.childRunId === null ? await sub.start(definition, params, { run: active.run, taskRunId: row.id }) : await sub.resume(definition, row.childRunId);
  row = { ...row, childRunId: run.runId };
  // The link must be durable before the child's end can be: else a crash between the two would start a second child.
  await active.record.setTask(recorded && !isTerminal(recorded.state.type) ? recorded.state.type : null, row);
  active.live.add(run);
  if (active.stopReason) run.stop(active.stopReason, active.forced);
  const ended = await run.ended.finally(() => active.live.delete(run));
  return settle(calls, row, ended);
}

async function settle({ active }: CallBook, row: TaskRun, ended: Run): Promise<unknown> {
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
