/** How a run leaves this process without having ended: to the next owner, or until it is due. */
import type { BatutaError } from '../../base/errors.ts';
import { isTerminal, stateOf } from '../../model/state.ts';
import type { Wait } from '../waiting/parking.ts';
import type { EngineServices } from '../services.ts';
import type { RunRecord } from './transition.ts';

/**
 * Records where the run stands and lets the lease go. After a lost lease nothing is recorded: the run is another's.
 *
 * @param waits what it waits for when it is suspended, the earliest first; none for a sub-flow, which goes on when the run
 * that called it does.
 */
export async function handOn(services: EngineServices, record: RunRecord, reason: BatutaError, waits: readonly Wait[]): Promise<void> {
  const { store } = services;
  if (reason.code === 'SHUTDOWN') record.setRun(stateOf('SCHEDULED', 'Resuming', reason.message)).catch(() => undefined);
  if (reason.code === 'RUN_SUSPENDED') recordSuspended(record, reason, waits).catch(() => undefined);
  await store.recorder.flush();
  // Refused silently where it was lost; a sub-flow whose parent was lost is still ours to give.
  await store.runs.release(record.claim);
  if (await endIfCancelled(services, record.run.id)) return;
  if (reason.code === 'RUN_SUSPENDED') await wakeIfSignalled(services, record.run.id, waits);
}

function recordSuspended(record: RunRecord, { message }: BatutaError, waits: readonly Wait[]): Promise<void> {
  const onlyRetries = waits.length > 0 && waits.every(({ isRetry }) => isRetry);
  const state = onlyRetries ? stateOf('SCHEDULED', 'AwaitingRetry', message) : stateOf('PAUSED', 'Suspended', message);
  return record.setRun(state, { dueAt: waits[0]?.dueAt ?? null });
}

/** A cancel that was asked for while its run was being let go of was left to an owner that does not act on it any more. */
async function endIfCancelled({ store, clock, isOwnerGone }: EngineServices, runId: string): Promise<boolean> {
  const run = await store.runs.get(runId);
  if (!run || run.cancelRequestedAt === null || run.owner !== null || isTerminal(run.state.type)) return false;
  // Where it stands may have been written over what was asked for; what has become of it is all there.
  const asked = (await store.transitions.ofRun(runId, null)).findLast(({ type }) => type === 'CANCELLING');
  await store.runs.requestCancel(runId, clock.now(), asked?.message ?? 'It was cancelled by hand.', isOwnerGone);
  return true;
}

/** A signal that came while its run was being suspended found it still running: looked for once more, now that it is not. */
async function wakeIfSignalled({ store, clock }: EngineServices, runId: string, waits: readonly Wait[]): Promise<void> {
  for (const { signal } of waits) {
    if (!signal || !(await store.signals.get(signal.runId, signal.name, signal.number))) continue;
    await store.signals.wake(runId, clock.now(), `The signal '${signal.name}' has come.`);
    return;
  }
}
