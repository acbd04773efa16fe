/** A flow or deployment that runs as part of another flow: a run of its own, represented in the parent by a task run. */
import type { FlowClass } from '../../model/flow-types.ts';
import { errorOf, failureOf } from '../../model/failure.ts';
import type { Run, TaskRun } from '../../model/run.ts';
import { isTerminal, stateOf } from '../../model/state.ts';
import { BatutaError, isBatutaError } from '../../base/errors.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import { outcomeOf, recordedError, valueOf } from '../task/outcome.ts';
import { loadValue } from '../values/results.ts';
import { callerOfPinned } from '../run/pinned.ts';
import type { RunAttempt } from '../run/run-attempt.ts';
import { cancelBelow } from '../run/cancel.ts';
import { maxCallChars, shownArg } from './calls.ts';
import type { Activity } from '../waiting/activity.ts';
import type { DeployedFlow } from '../services.ts';
import { newRow } from '../task/task-row.ts';
import { dropped, droppedState, isDropped } from '../waiting/dropped.ts';
import type { Waiter } from '../waiting/waits.ts';

/** Between retries for a sub-flow that another process holds, ms. */
const ownedPollMs = 250;

/** An active run of a sub-flow. */
export interface SubFlowRun {
  readonly id: string;
  /** The run once it has ended and is recorded. */
  readonly ended: Promise<Run>;
  /** Notices when it only waits; null once it has ended. */
  readonly activity: Activity | null;
  /**
   * Its value or error in memory, or why it was left to others, once it has ended here; null if it ended earlier and only its record is
   * left.
   */
  readonly outcome: { takeValue(): unknown; readonly thrown: unknown; readonly givenUp: BatutaError | null } | null;
  /** Requests its end; `force` does not wait for its code. */
  stop(reason: BatutaError, force: boolean): void;
}

/** One that had ended before. */
export function endedBefore(run: Run): SubFlowRun {
  return { id: run.id, ended: Promise.resolve(run), activity: null, outcome: null, stop: () => undefined };
}

/** Starts or continues a sub-flow's run. Provided by the engine. */
export interface StartSubFlow {
  definitionOf(flow: FlowClass): FlowDefinition;
  /** @throws BatutaError DEPLOYMENT_NOT_FOUND, FLOW_NOT_FOUND, FILE_…, STORE_… */
  findDeployed(name: string, params: unknown): Promise<DeployedFlow>;
  /**
   * Starts the run with that id, continues it if it was started before, or returns its end; `anew` reopens an unsuccessful end.
   *
   * @throws BatutaError PARAMS_INVALID, RESULT_NOT_SERIALIZABLE, RUN_OWNED, RUN_PINNED (to another version), SHUTDOWN, STORE_…
   */
  start(definition: FlowDefinition, params: unknown, options: SubFlowOptions): Promise<SubFlowRun>;
}

export interface SubFlowOptions {
  readonly id: string;
  readonly parent: { readonly runId: string; readonly taskRunId: string };
  readonly anew: boolean;
  /** Of the calling run. */
  readonly activity: Activity;
  readonly deployment: DeployedFlow['deployment'] | null;
}

/** What is to run. */
interface Target {
  /** Of the task run that represents it. */
  readonly name: string;
  readonly identity: string;
  readonly params: unknown;
  /** Called only if it is not recorded yet. */
  find(): Promise<Omit<DeployedFlow, 'deployment'> & { readonly deployment: DeployedFlow['deployment'] | null }>;
}

/** Runs the flow, or continues what was recorded of it, and returns its value. @throws what it failed with. */
export function runSubFlow(caller: Waiter, sub: StartSubFlow, flow: FlowClass, params: unknown): Promise<unknown> {
  return caller.active.activity.work(async () => {
    const definition = sub.definitionOf(flow);
    const name = `flow:${definition.name}`;
    return runChild(caller, sub, { name, identity: name, params, find: async () => ({ definition, params, deployment: null }) });
  });
}

/** The same for the flow of a deployment, with its parameters. */
export function runSubDeployment(caller: Waiter, sub: StartSubFlow, name: string, params: unknown): Promise<unknown> {
  const target = { name: `flow:${name}`, identity: `deployment:${name}`, params, find: () => sub.findDeployed(name, params) };
  return caller.active.activity.work(() => runChild(caller, sub, target));
}

async function runChild(caller: Waiter, sub: StartSubFlow, target: Target): Promise<unknown> {
  const { active } = caller;
  const { name } = target;
  const { waitSignal } = active;
  const key = caller.keyOf(target.identity, [target.params]);
  const recorded = active.recorded.get(key);
  if (recorded?.state.type === 'COMPLETED' || recorded?.state.type === 'FAILED') return valueOf(await outcomeOf(active, recorded));

  const before: TaskRun = recorded ?? newRow(active, key, name, null, null);
  const childRunId = before.childRunId ?? active.services.makeId();
  const row: TaskRun = {
    ...before,
    state: stateOf('RUNNING', before.attempt > 0 ? 'Retrying' : 'Running'),
    attempt: before.attempt + 1,
    startedAt: before.startedAt ?? active.services.clock.now(),
    endedAt: null,
    error: null,
    childRunId,
    callArgs: target.params === undefined ? null : [shownArg(target.params, { chars: maxCallChars })],
  };
  // Durable before the child exists: otherwise a crash in between would leave an unknown child, and start another.
  await active.record.setTask(recorded && !isTerminal(recorded.state.type) ? recorded.state.type : null, row);
  const parent = { runId: active.run.id, taskRunId: row.id };
  const run = await started(caller, row, async () => {
    const { definition, params, deployment } = await target.find();
    const anew = before.state.name === 'Scheduled' || wasDropped(before);
    return sub.start(definition, params, { id: childRunId, parent, anew, activity: active.activity, deployment });
  });
  active.live.add(run);
  const drop = (): void => void (isDropped(active) && run.stop(dropReason(childRunId), false));
  waitSignal.addEventListener('abort', drop);
  if (active.stopReason) run.stop(active.stopReason, active.forced);
  else drop();
  const ended = await active.activity
    .with(run.activity, () => run.ended)
    .finally(() => {
      active.live.delete(run);
      waitSignal.removeEventListener('abort', drop);
    });
  const settled = settle(active, row, run, ended);
  if (!isDropped(active)) return settled;
  await settled.catch(() => undefined);
  throw dropped;
}

/** Starts it. If another process still holds it, waits: that process may have lost our run to us, and is about to release it. */
async function started(caller: Waiter, row: TaskRun, start: () => Promise<SubFlowRun>): Promise<SubFlowRun> {
  const { active } = caller;
  const { leaseClock } = active.services;
  for (;;) {
    if (isDropped(active)) return dropUnstarted(active, row);
    try {
      return await start();
    } catch (error) {
      if (active.stopReason || (isBatutaError(error) && error.code.startsWith('STORE_'))) throw error;
      if (isBatutaError(error, 'RUN_OWNED')) {
        await leaseClock.sleep(ownedPollMs, active.waitSignal).catch((reason: unknown) => {
          if (!isDropped(active)) throw reason;
        });
        continue;
      }
      if (isBatutaError(error, 'RUN_PINNED')) throw leaveToOthers(active, error);
      const failure = failureOf(error);
      const state = stateOf('FAILED', 'Failed', failure.message);
      await active.record.endTask('RUNNING', row, state, { error: failure, childRunId: null });
      throw recordedError(failure, error);
    }
  }
}

/** Stops the caller too: it continues where that version is. Returns its stop reason. */
function leaveToOthers(active: RunAttempt, error: BatutaError): BatutaError {
  const reason = callerOfPinned(error, active.run.id);
  active.stop(reason, true);
  return active.stopReason ?? reason;
}

/** An earlier owner may have started it. */
async function dropUnstarted(active: RunAttempt, row: TaskRun): Promise<never> {
  const { store, clock, isOwnerGone } = active.services;
  const childRunId = row.childRunId ?? '';
  const message = droppedState.message ?? '';
  const state = await store.runs.requestCancel(childRunId, clock.now(), message, isOwnerGone);
  if (state !== null) await cancelBelow(active.services, childRunId, message);
  await active.record.endTask('RUNNING', row, droppedState, { childRunId: state === null ? null : childRunId });
  throw dropped;
}

function dropReason(childRunId: string): BatutaError {
  return new BatutaError('RUN_CANCELLED', droppedState.message ?? '', { details: { runId: childRunId } });
}

function wasDropped({ state }: TaskRun): boolean {
  return state.type === droppedState.type && state.message === droppedState.message;
}

/** The error of a sub-flow that left none: dropped by its limit, or ended from outside. */
function endedWithout({ id, state }: Run): BatutaError {
  const code = state.type === 'CANCELLED' ? 'RUN_CANCELLED' : 'RUN_FAILED';
  return new BatutaError(code, state.message ?? `The sub-flow ended ${state.name}.`, { details: { runId: id } });
}

async function settle(active: RunAttempt, row: TaskRun, run: SubFlowRun, ended: Run): Promise<unknown> {
  const { state } = ended;
  const givenUp = run.outcome?.givenUp ?? null;
  if (!isTerminal(state.type) && givenUp?.code === 'RUN_PINNED') throw leaveToOthers(active, givenUp);
  if (!isTerminal(state.type)) throw active.stopReason ?? new Error(`The sub-flow run ${ended.id} was given up in state ${state.name}.`);
  const error = ended.error ?? failureOf(endedWithout(ended));
  const ownState = state.type === 'CRASHED' ? stateOf('FAILED', 'Failed', state.message) : state;
  const { result, resultRef } = ended;
  await active.record.endTask('RUNNING', row, ownState, { result, resultRef, error: state.type === 'COMPLETED' ? null : error });
  if (state.type !== 'COMPLETED') {
    if (state.type === 'CANCELLED' && active.stopReason) throw active.stopReason;
    throw recordedError(error, run.outcome?.thrown ?? errorOf(error));
  }
  return run.outcome ? run.outcome.takeValue() : loadValue(active.services.results, ended);
}
