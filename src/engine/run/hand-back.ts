/** How a run leaves this process without having ended: to the next owner, or until it is due. */
import { BatutaError, isBatutaError } from '../../base/errors.ts';
import { failureOf } from '../../model/failure.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import type { Owner } from '../../model/run.ts';
import { canFollow, isTerminal, stateOf } from '../../model/state.ts';
import type { Claim } from '../../store/store.ts';
import type { Wait } from '../waiting/activity.ts';
import type { EngineServices } from '../services.ts';
import { withOrigin } from './failure-origin.ts';
import { isHandedBack } from './run-attempt.ts';
import type { RunRecord } from './transition.ts';

/**
 * Records where the run stands and lets the lease go. After a lost lease nothing is recorded: the run is another's.
 *
 * @param waits what it waits for when it is suspended, the earliest first; none for a sub-flow, which goes on when the run
 * that called it does.
 */
export async function handBackRun(services: EngineServices, record: RunRecord, reason: BatutaError, waits: readonly Wait[]): Promise<void> {
  const { store } = services;
  if (reason.code === 'SHUTDOWN' || reason.code === 'RUN_PINNED')
    record.setRun(stateOf('SCHEDULED', 'Resuming', reason.message)).catch(() => undefined);
  if (reason.code === 'RUN_SUSPENDED') recordSuspended(record, reason, waits).catch(() => undefined);
  await store.recorder.flush();
  // What came too early to find it waiting is acted on while the lease holds: when this process dies before that, the run is reclaimed.
  if (reason.code === 'RUN_SUSPENDED') await wakeIfSignalled(services, record.run.id, waits);
  await endIfCancelled(services, record.claim);
  // Refused silently where it was lost or goes on already; a sub-flow whose parent was lost is still ours to give.
  await store.runs.release(record.claim);
  await endIfCancelled(services, record.claim);
}

/** Why a run is given up whose store has failed in the middle: where others go on, and the store was only away, it is left to them. */
export function reasonToGiveUp({ settings }: EngineServices, runId: string, error: unknown): BatutaError {
  if (settings.abortUnrenewed && isBatutaError(error, 'STORE_UNAVAILABLE')) {
    const message = `The database was away for too long; another process goes on with run ${runId} from what is recorded.`;
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

/** Leaves such a run to others, or tries once more to record how it stands, so that nothing is left Running. */
export async function giveUp({ services, definition, record, reason, error }: GivenUp): Promise<void> {
  const { store, clock } = services;
  if (isTerminal(record.run.state.type)) return;
  await store.recorder.flush().catch(() => undefined);
  if (reason && isHandedBack(reason)) {
    // What came too early to find it waiting may not have been acted on: the lease ends by itself, and whoever takes the run sees it.
    if (reason.code === 'RUN_SUSPENDED') return;
    // When it cannot be told, the lease ends by itself.
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

async function recordSuspended(record: RunRecord, { message }: BatutaError, waits: readonly Wait[]): Promise<void> {
  // A sub-flow that had not begun stands as what it is: it still has to.
  if (waits.length === 0 && !canFollow(record.run.state.type, 'PAUSED')) return;
  const isBefore = waits.length > 0 && waits.every(({ isStart }) => isStart === true);
  const onlyRetries = waits.length > 0 && waits.every(({ isRetry }) => isRetry);
  const state = isBefore
    ? stateOf('SCHEDULED', 'Scheduled', message)
    : onlyRetries
      ? stateOf('SCHEDULED', 'AwaitingRetry', message)
      : stateOf('PAUSED', 'Suspended', message);
  await record.setRun(state, { dueAt: waits[0]?.dueAt ?? null });
}

/**
 * A cancel that was asked for while its run was being let go of was left to an owner that does not act on it any more. To be called once the run
 * was let go of.
 *
 * @throws BatutaError STORE_…
 */
export async function endIfCancelled({ store, clock, owner, isOwnerGone }: EngineServices, claim: Claim): Promise<void> {
  const run = await store.runs.get(claim.runId);
  if (!run || run.cancelRequestedAt === null || isTerminal(run.state.type)) return;
  const isOurs = run.owner?.id === owner.id && run.epoch === claim.epoch;
  if (run.owner !== null && !isOurs) return;
  // Where it stands may have been written over what was asked for; its history says all the same what that was.
  const asked = (await store.transitions.ofRun(run.id, null)).findLast(({ type }) => type === 'CANCELLING');
  const isGone = (one: Owner): boolean => (isOurs && one.id === owner.id) || isOwnerGone(one);
  await store.runs.requestCancel(run.id, clock.now(), asked?.message ?? 'It was cancelled by hand.', isGone);
}

/** A signal that came while its run was being suspended found it still running: looked for once more, now that it is on record as suspended. */
async function wakeIfSignalled({ store, clock }: EngineServices, runId: string, waits: readonly Wait[]): Promise<void> {
  for (const { signal } of waits) {
    if (!signal || !(await store.signals.get(signal.runId, signal.name, signal.number))) continue;
    await store.signals.wake(runId, clock.now(), `The signal '${signal.name}' has come.`);
    return;
  }
}
