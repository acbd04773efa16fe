/** The cache's answer before an attempt of a task: a value, or the duty to make it. */
import { BatutaError, isBatutaError } from '../../base/errors.ts';
import type { CachePolicy } from '../../model/cache.ts';
import type { TaskRun } from '../../model/run.ts';
import { runScope } from '../../model/run-context.ts';
import { type State, stateOf } from '../../model/state.ts';
import type { CachedValue, CacheKey } from '../../store/store.ts';
import type { RunAttempt } from '../run/run-attempt.ts';
import { stopped } from '../task/attempt-places.ts';
import { askCondition } from '../task/begin-attempt.ts';
import type { Settlement } from '../task/settlement.ts';
import { TaskAttempt } from '../task/task-attempt.ts';
import type { TaskRequest } from '../task/task-request.ts';
import { loadGiven } from '../values/results.ts';
import { cacheKeyOf } from './cache-key.ts';
import type { ValueMaking } from './cache-access.ts';

/** A value found in the cache. */
export interface CacheHit {
  readonly kind: 'cached';
  readonly value: CachedValue;
  readonly entry: string;
  /** For `take`. */
  readonly given: unknown;
}

type Asked =
  | CacheHit
  | { readonly kind: 'make'; readonly making: ValueMaking }
  | { readonly kind: 'skipped' }
  | { readonly kind: 'stopped'; readonly error: BatutaError }
  | { readonly kind: 'failed'; readonly execution: TaskAttempt; readonly error: unknown; readonly timedOut: false };

/**
 * Checks the task's condition, then asks the cache; waits while another makes the value.
 *
 * @param onWait called with a sentence for people if it has to wait
 * @throws BatutaError STORE_…
 */
export async function askCache(active: RunAttempt, request: TaskRequest, row: TaskRun, onWait: (message: string) => void): Promise<Asked> {
  const { stopReason } = active;
  if (stopReason) return { kind: 'stopped', error: stopReason };
  const execution = new TaskAttempt(active, request.definition, row);
  const { when } = request.definition;
  if (when !== null && row.attempt === 0) {
    const fault = await askCondition(active, request, execution, (found: Settlement | null) => found);
    if (fault === 'skipped') return { kind: 'skipped' };
    if (fault !== null) return faultOf(fault, execution);
  }
  let key: CacheKey;
  let refresh: boolean;
  try {
    [key, refresh] = await active.untilForced(() => runScope.run(execution, () => keyAndRefresh(active, request, execution)));
  } catch (error) {
    return active.stopReason ? { kind: 'stopped', error: active.stopReason } : { kind: 'failed', execution, error, timedOut: false };
  }
  return await askFor(active, execution, row, key, refresh, onWait);
}

/** A promise only if the user's function returns one. */
function keyAndRefresh(
  active: RunAttempt,
  { definition, args }: TaskRequest,
  execution: TaskAttempt,
): Promise<[CacheKey, boolean]> | [CacheKey, boolean] {
  const { cache: policy } = definition;
  if (policy === null) throw new BatutaError('INTERNAL', `Task ${definition.name} has no cache.`);
  const call = { flow: active.definition, task: definition, policy, runId: active.run.id, params: execution.params };
  const key = cacheKeyOf({ ...call, args: args(execution.context) });
  if (active.submitted.refreshCache === true && policy.scope === 'global') return [key, true];
  if (typeof policy.refresh !== 'function') return [key, policy.refresh];
  const refresh = policy.refresh(...args(execution.context));
  return refresh instanceof Promise ? refresh.then((is) => [key, is]) : [key, refresh];
}

async function askFor(
  active: RunAttempt,
  execution: TaskAttempt,
  { runId, id: taskRunId }: TaskRun,
  key: CacheKey,
  refresh: boolean,
  onWait: (message: string) => void,
): Promise<Asked> {
  const { cache, results, lifecycle } = active.services;
  const { definition } = execution;
  const policy = definition.cache && withinScope(definition.cache, execution);
  if (policy === null) throw new BatutaError('INTERNAL', `Task ${definition.name} has no cache.`);
  for (let isForced = refresh; ; isForced = true) {
    const answer = await cache.ask({
      ...{ key, policy, runId, taskRunId, refresh: isForced, signal: active.signal, waitSignal: active.waitSignal },
      onWait: (makingRunId) => {
        if (lifecycle.isObserved) lifecycle.tell({ kind: 'cache', outcome: 'wait' });
        onWait(waitsFor(makingRunId, runId));
      },
    });
    if (lifecycle.isObserved && answer !== null) lifecycle.tell({ kind: 'cache', outcome: 'making' in answer ? 'miss' : 'hit' });
    if (answer === null) return stopped(active);
    if ('making' in answer) return { kind: 'make', making: answer.making };
    try {
      return { kind: 'cached', value: answer.value, entry: key.id, given: await loadGiven(results, answer.value) };
    } catch (error) {
      // Its file is gone: it is made again, as if it had never existed.
      if (!isBatutaError(error, 'RESULT_MISSING')) throw error;
      active.log.warn({ err: error, entry: key.id }, `The cached value of task ${definition.name} cannot be read; it is made again.`);
    }
  }
}

/** The policy; if its TTL is a function, that is called as code of the task. */
function withinScope(policy: CachePolicy, execution: TaskAttempt): CachePolicy {
  const { ttl } = policy;
  return typeof ttl === 'function' ? { ...policy, ttl: (use) => runScope.run(execution, () => ttl(use)) } : policy;
}

function faultOf(fault: Settlement, execution: TaskAttempt): Asked {
  if (fault.kind === 'stopped') return fault;
  return { kind: 'failed', execution, error: fault.kind === 'value' ? null : fault.error, timedOut: false };
}

function waitsFor(makingRunId: string | null, runId: string): string {
  const where = makingRunId === null ? 'another run' : makingRunId === runId ? 'another task of this run' : `run ${makingRunId}`;
  return `Waits for its value, which ${where} makes.`;
}

/** The state of a task run whose value was taken from the cache. */
export function cachedState({ runId, madeAt }: CachedValue, ownRunId: string): State {
  const where = runId === ownRunId ? 'this run' : `run ${runId}`;
  return stateOf('COMPLETED', 'Cached', `Its value was made by ${where} at ${new Date(madeAt).toISOString()}.`);
}
