/** How a run ends: its state, its recorded value, its failure. */
import type { BatutaError } from '../../base/errors.ts';
import { type Failure, failureOf } from '../../model/failure.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import { type State, stateOf } from '../../model/state.ts';
import type { RunAttempt } from './run-attempt.ts';
import { givenAs, RecordedValue, take } from '../values/given-value.ts';
import { thrownAs } from '../task/outcome.ts';
import type { ResultStorage } from '../results/storage.ts';
import { encodeValue, noValue, type StoredValue, storeValue } from '../values/results.ts';
import { hidesValues } from '../../base/hidden-values.ts';
import { refuseSecrets } from '../values/refuse-secrets.ts';

/** How one attempt of the run ended. */
export type Verdict =
  /** `given` is for `take`. */
  | { readonly kind: 'value'; readonly given: unknown }
  /** `isFinal`: no other attempt may follow. Default false. */
  | { readonly kind: 'error'; readonly error: unknown; readonly task: string | null; readonly isFinal?: boolean }
  | { readonly kind: 'stopped'; readonly reason: BatutaError };

/** An attempt that failed. */
export type FailedVerdict = Verdict & { readonly kind: 'error' };

export interface RunEnd {
  readonly state: State;
  readonly error: Failure | null;
  readonly stored: StoredValue;
  /** The flow's value, for `take`; undefined unless it completed. */
  readonly given: unknown;
  /** Why it failed, as thrown; null when it completed. */
  readonly thrown: unknown;
}

/**
 * How an attempt ended for good: a value stands unless an error escaped a task, which Node.js reports only after all promise callbacks have
 * run.
 */
export async function finalVerdict(active: RunAttempt, verdict: Verdict): Promise<Verdict> {
  if (verdict.kind === 'value') await active.services.store.recorder.nextTurn();
  const { stopReason, escapedError } = active;
  if (stopReason) return { kind: 'stopped', reason: stopReason };
  return verdict.kind === 'value' && escapedError ? { kind: 'error', error: escapedError, task: null } : verdict;
}

/**
 * The end that follows from a verdict, its value stored. If the value cannot be stored, the run fails.
 *
 * @param key under which a large value is kept in the result storage
 */
export async function endOf(definition: FlowDefinition, verdict: Verdict, storage: ResultStorage, key: string): Promise<RunEnd> {
  if (verdict.kind === 'value') {
    try {
      const { stored, given } = await storeFlowValue(definition, verdict.given, storage, key);
      return { state: stateOf('COMPLETED'), error: null, stored, given, thrown: null };
    } catch (error) {
      return failed(error, null);
    }
  }
  if (verdict.kind === 'error') return failed(verdict.error, verdict.task);
  const { reason } = verdict;
  const timedOut = reason.code === 'FLOW_TIMED_OUT';
  const state = timedOut ? stateOf('FAILED', 'TimedOut', reason.message) : stateOf('CANCELLED', 'Cancelled', reason.message);
  return { state, error: timedOut ? failureOf(reason) : null, stored: noValue, given: undefined, thrown: reason };
}

/** The message of a failed run. */
export function messageFor(error: Failure, task: string | null): string {
  return task === null ? error.message : `Task ${task} failed: ${error.message}`;
}

function failed(thrown: unknown, task: string | null): RunEnd {
  const error = failureOf(thrown);
  return {
    state: stateOf('FAILED', 'Failed', messageFor(error, task)),
    error,
    stored: noValue,
    given: undefined,
    thrown: thrownAs(thrown),
  };
}

/** Records the flow's value, without what its tasks keep in memory only. */
async function storeFlowValue(
  definition: FlowDefinition,
  given: unknown,
  storage: ResultStorage,
  key: string,
): Promise<{ readonly stored: StoredValue; readonly given: unknown }> {
  const { kind, result, graph, tasks } = definition;
  const isKept = (name: string): boolean => tasks.get(name)?.persist !== false;
  const givers = kind === 'code' ? [] : result === null ? graph.sinks : [result];
  const [giver] = givers;
  if (giver !== undefined && givers.length === 1 && !isKept(giver)) return { stored: noValue, given };
  if (given instanceof RecordedValue) return { stored: await storeValue(storage, key, given.text), given };
  const value = take(given);
  const isWhole = givers.every(isKept);
  const kept = isWhole ? value : Object.fromEntries(Object.entries(value as object).filter(([name]) => isKept(name)));
  const text = encodeValue(kept, `result of flow ${definition.name}`);
  if (hidesValues()) refuseSecrets(text, `result of flow ${definition.name}`);
  return { stored: await storeValue(storage, key, text), given: isWhole ? givenAs(value, text) : value };
}
