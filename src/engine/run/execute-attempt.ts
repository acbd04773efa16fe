/** Executes one attempt of a run: its graph, or its code, within the timeout of the flow. */
import { isBatutaError } from '../../base/errors.ts';
import { runCode } from '../code/run-code.ts';
import type { StartSubFlow } from '../code/sub-flow.ts';
import { runGraph } from '../graph/run-graph.ts';
import type { RunAttempt } from './run-attempt.ts';
import { finalVerdict, type Verdict } from './run-end.ts';

/** How the attempt has ended. @throws BatutaError STORE_…, INTERNAL */
export async function executeAttempt(active: RunAttempt, subFlows: StartSubFlow): Promise<Verdict> {
  const { definition, services } = active;
  const timer = definition.timeoutMs === null ? null : services.clock.setTimer(definition.timeoutMs, () => active.timeOut());
  try {
    active.makeInstance();
    if (definition.kind === 'code') {
      const given = await runCode(active, subFlows);
      return await finalVerdict(active, { kind: 'value', given });
    }
    const { given, failed } = await runGraph(active);
    return await finalVerdict(active, failed ? { kind: 'error', error: failed.error, task: failed.task } : { kind: 'value', given });
  } catch (error) {
    if (active.stopReason) return { kind: 'stopped', reason: active.stopReason };
    if (isBatutaError(error) && (error.code.startsWith('STORE_') || error.code === 'INTERNAL')) throw error;
    return { kind: 'error', error, task: null };
  } finally {
    timer?.cancel();
  }
}
