/** One attempt of a run as a whole: its graph or code under the flow's timeout, then the closing of its resources. */
import { isBatutaError } from '../../base/errors.ts';
import { noMiddleware } from '../../model/middleware.ts';
import { isTerminal, stateOf } from '../../model/state.ts';
import { runCode } from '../code/run-code.ts';
import type { StartSubFlow } from '../code/sub-flow.ts';
import { runGraph } from '../graph/run-graph.ts';
import { thrownAs } from '../task/outcome.ts';
import { runAround } from '../middleware/around-run.ts';
import type { RunAttempt } from './run-attempt.ts';
import { callHooks } from './hooks.ts';
import { pinAsDeclared } from './pinned.ts';
import { finalVerdict, type Verdict } from './run-end.ts';
import type { SlotEnd } from '../limits/run-slots.ts';

/** Records the attempt's beginning, and calls the hooks. */
export async function beginRun(active: RunAttempt): Promise<void> {
  const { record, services, definition } = active;
  if (active.stopReason) return;
  // Before anything is executed: whoever continues it must see that it is pinned.
  if (definition.isPinned === true) await pinAsDeclared(active);
  const { run, stopReason } = active;
  if (stopReason) return;
  const begun = record.setRun(stateOf('RUNNING', run.attempt > 1 ? 'Retrying' : 'Running'), {
    ...{ startedAt: run.startedAt ?? services.clock.now(), dueAt: null, error: null },
    // The submitter may have had another.
    ...(run.startedAt === null && run.flowVersion !== definition.version ? { flowVersion: definition.version } : {}),
  });
  // Shares the flush of the first tasks: the run itself is durable once accepted or claimed. A pin counts from then on, though.
  if (definition.isPinned === true && run.startedAt === null) await begun;
  else begun.catch(() => undefined);
  await callHooks(active, active.run.state, null, undefined);
}

/** @throws BatutaError STORE_…, INTERNAL when the run cannot continue here */
export async function executeAttempt(active: RunAttempt, subFlows: StartSubFlow): Promise<Verdict> {
  let verdict: Verdict;
  try {
    verdict = await underTimeout(active, subFlows);
  } catch (error) {
    await active.closeResources({ error });
    throw error;
  } finally {
    active.tellBegun();
  }
  return active.hasResources ? await closeAfter(active, verdict) : verdict;
}

async function underTimeout(active: RunAttempt, subFlows: StartSubFlow): Promise<Verdict> {
  const { definition, services } = active;
  const timer = definition.timeoutMs === null ? null : services.clock.setTimer(definition.timeoutMs, () => active.timeOut());
  try {
    await active.makeInstance();
    const { middleware } = active;
    const work = (): Promise<Verdict> => execute(active, subFlows);
    return await finalVerdict(active, middleware === noMiddleware ? await work() : await runAround(active, middleware, work));
  } catch (error) {
    if (active.stopReason) return { kind: 'stopped', reason: active.stopReason };
    if (isBatutaError(error) && (error.code.startsWith('STORE_') || error.code === 'INTERNAL')) throw error;
    return { kind: 'error', error, task: null };
  } finally {
    timer?.cancel();
  }
}

/**
 * A successful run fails if its resources cannot be closed: what one of them should have committed is missing. It is not retried, because
 * another attempt would find every task recorded, and commit nothing.
 */
async function closeAfter(active: RunAttempt, verdict: Verdict): Promise<Verdict> {
  const [fault] = await active.closeResources(endFor(verdict));
  return verdict.kind === 'value' && fault ? { kind: 'error', error: fault, task: null, isFinal: true } : verdict;
}

/** A run that is suspended or handed back has not failed: what it has recorded stands. */
function endFor(verdict: Verdict): { readonly error: unknown } | null {
  if (verdict.kind === 'value') return null;
  if (verdict.kind === 'error') return { error: thrownAs(verdict.error) };
  return ['RUN_SUSPENDED', 'RUN_PINNED'].includes(verdict.reason.code) ? null : { error: verdict.reason };
}

async function execute(active: RunAttempt, subFlows: StartSubFlow): Promise<Verdict> {
  if (active.definition.kind === 'code') return { kind: 'value', given: await runCode(active, subFlows) };
  const { given, failed } = await runGraph(active);
  return failed ? { kind: 'error', error: failed.error, task: failed.task } : { kind: 'value', given };
}

/**
 * Waits until the limit of a run has a slot for it, or the run is stopped. If the run was dropped already, only calls the listener.
 *
 * @param lose called if the run has another owner
 * @throws BatutaError STORE_…
 */
export async function awaitSlot({ record, services, signal, stopReason, activity }: RunAttempt, lose: () => void): Promise<SlotEnd> {
  const { state } = record.run;
  if (state.name === 'AwaitingSlot' || isTerminal(state.type)) record.tellRun();
  if (isTerminal(state.type)) return 'skipped';
  if (stopReason) return 'stopped';
  const onState = record.noteState.bind(record);
  const end = await activity.work(() => services.limits.runs.waitFor(record.claim, { signal, onState }));
  if (end === 'lost') lose();
  return end;
}
