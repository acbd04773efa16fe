/** How a run leaves this process without having ended: for the next owner, or until it is due. */
import { BatutaError, isBatutaError } from '../../base/errors.ts';
import { failureOf } from '../../model/failure.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import type { Owner } from '../../model/run.ts';
import { canFollow, isTerminal, stateOf } from '../../model/state.ts';
import type { Claim } from '../../store/store.ts';
import type { Wait } from '../waiting/activity.ts';
import type { EngineServices } from '../services.ts';
import { withOrigin } from './failure-origin.ts';
import { isHandedBack, type RunAttempt } from './run-attempt.ts';
import type { RunRecord } from './transition.ts';

/**
 * Records the run's state and releases the lease. After a lost lease nothing is recorded: the run has another owner.
 *
 * @param waits what a suspended run waits for, earliest first; none for a sub-flow, which continues when its caller does.
 */
export async function handBackRun(active: RunAttempt, reason: BatutaError, waits: readonly Wait[]): Promise<void> {
  const { services, record, hasNotBegun } = active;
  const { store } = services;
  if (reason.code === 'SHUTDOWN' || reason.code === 'RUN_PINNED')
    record.setRun(stateOf('SCHEDULED', 'Resuming', reason.message)).catch(() => undefined);
  if (reason.code === 'RUN_SUSPENDED') recordSuspended(record, reason, waits, hasNotBegun).catch(() => undefined);
  await store.recorder.flush();
  // A signal that came too early to find it waiting is acted on while the lease holds: if this process dies first, the run is reclaimed.
  if (reason.code === 'RUN_SUSPENDED') await wakeIfSignalled(services, record.run.id, waits);
  await endIfCancelled(services, record.claim);
  // Refused silently if it was lost or already continues; a sub-flow whose parent was lost is still ours to release.
  await store.runs.release(record.claim);
  await endIfCancelled(services, record.claim);
}

/** Why a run is given up when its store fails midway: if others can continue it and the store was only away, it is left to them. */
export function reasonToGiveUp({ settings }: EngineServices, runId: string, error: unknown): BatutaError {
  if (settings.abortUnrenewed && isBatutaError(error, 'STORE_UNAVAILABLE')) {
    const message = `The database was away for too long; another process continues run ${runId} from what is recorded.`;
    return new BatutaError('LEASE_LOST', message, { details: { runId }, cause: error });
  }
  return error instanceof BatutaError ? error : new BatutaError('INTERNAL', String(error), { cause: error });
}

export interface GivenUp {
  readonly services: EngineServices;
  readonly definition: FlowDefinition;
  readonly record: RunRecord;
  readonly reason: BatutaError | null;
  readonly error: unknown;
}

/** Leaves such a run to others, or tries once more to record its state, so that nothing is left Running. */
export async function giveUp({ services, definition, record, reason, error }: GivenUp): Promise<void> {
  const { store, clock } = services;
  if (isTerminal(record.run.state.type)) return;
  await store.recorder.flush().catch(() => undefined);
  if (reason && isHandedBack(reason)) {
    // A signal that came too early to find it waiting may not have been acted on: the lease expires, and the next owner sees it.
    if (reason.code === 'RUN_SUSPENDED') return;
    // If the release fails, the lease expires.
    await store.runs.release(record.claim).catch(() => undefined);
    return;
  }
  if (isBatutaError(error, 'STORE_FULL')) store.freeReserve();
  record.cancelOpen('The run was given up.');
  const failure = withOrigin(failureOf(error), record, definition, null);
  await record
    .setRun(stateOf('FAILED', 'Failed', failure.message), { error: failure, endedAt: clock.now(), dueAt: null })
    .catch(() => undefined);
}

async function recordSuspended(record: RunRecord, { message }: BatutaError, waits: readonly Wait[], hasNotBegun: boolean): Promise<void> {
  // A sub-flow that had not begun keeps its state: it still has to begin.
  if (waits.length === 0 && !canFollow(record.run.state.type, 'PAUSED')) return;
  // One that is Suspended only goes on, without a pass of its rate.
  const isBefore = hasNotBegun || (waits.length > 0 && waits.every(({ isStart }) => isStart === true));
  const onlyRetries = waits.length > 0 && waits.every(({ isRetry }) => isRetry);
  const state = isBefore
    ? stateOf('SCHEDULED', 'Scheduled', message)
    : onlyRetries
      ? stateOf('SCHEDULED', 'AwaitingRetry', message)
      : stateOf('PAUSED', 'Suspended', message);
  await record.setRun(state, { dueAt: waits[0]?.dueAt ?? null });
}

/**
 * A cancel that was requested while its run was being released was left to an owner that no longer acts on it. To be called once the run is
 * released.
 *
 * @throws BatutaError STORE_…
 */
export async function endIfCancelled({ store, clock, owner, isOwnerGone }: EngineServices, claim: Claim): Promise<void> {
  const run = await store.runs.get(claim.runId);
  if (!run || run.cancelRequestedAt === null || isTerminal(run.state.type)) return;
  const isOurs = run.owner?.id === owner.id && run.epoch === claim.epoch;
  if (run.owner !== null && !isOurs) return;
  // The run's state may have overwritten the request; its history still has it.
  const asked = (await store.transitions.ofRun(run.id, null)).findLast(({ type }) => type === 'CANCELLING');
  const isGone = (one: Owner): boolean => (isOurs && one.id === owner.id) || isOwnerGone(one);
  await store.runs.requestCancel(run.id, clock.now(), asked?.message ?? 'It was cancelled by hand.', isGone);
}

/** A signal that came while its run was being suspended found it still running: checked again, now that it is recorded as suspended. */
async function wakeIfSignalled({ store, clock }: EngineServices, runId: string, waits: readonly Wait[]): Promise<void> {
  for (const { signal } of waits) {
    if (!signal || !(await store.signals.get(signal.runId, signal.name, signal.number))) continue;
    await store.signals.wake(runId, clock.now(), `The signal '${signal.name}' has come.`);
    return;
  }
}
