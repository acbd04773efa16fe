/**
 * How runs begin under their limits, or end instead: those their maker owns at once, those claimed by a ticket, those that make room, those
 * that came too late.
 */
import { maskedParams, sensitivePathsIn } from '../../model/sensitive.ts';
import { BatutaError } from '../../base/errors.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import type { Run } from '../../model/run.ts';
import { runScope } from '../../model/run-context.ts';
import { stateOf } from '../../model/state.ts';
import type { CancelledRun, NewRun } from '../../store/store.ts';
import { cancelBelow } from './cancel.ts';
import { claimOf } from '../lease/claim.ts';
import { concurrencyKeyOf } from '../limits/limit-key.ts';
import { scopeBefore } from './flow-scope.ts';
import { decodeValue } from '../values/results.ts';
import type { OwnedRun } from './owned-run.ts';
import type { EngineServices } from '../services.ts';

/**
 * Records a run that this process owns. As its state says, it may begin, waits for a slot, or was dropped by its limit.
 *
 * @param made the row to record
 * @param owned the same, once it is owned
 * @throws BatutaError STORE_…
 */
export async function startRun(
  services: EngineServices,
  made: NewRun,
  owned: Run,
): Promise<{ readonly run: Run; readonly hasSlot: boolean }> {
  const { store, limits, owner, settings, clock } = services;
  const { concurrencyKey } = owned;
  if (concurrencyKey === null || (await limits.runs.isSharedWithAncestor(owned))) {
    await store.recorder.addRun({ ...made, concurrencyKey: null }, owner, settings.leaseMs);
    return { run: { ...owned, concurrencyKey: null }, hasSlot: true };
  }
  const outcome = await store.limits.start({ ...made, concurrencyKey }, owner, settings.leaseMs);
  if (outcome.kind === 'lost') throw new BatutaError('INTERNAL', `The run ${owned.id} was taken while it was being recorded.`);
  limits.runs.cancelled(outcome.cancelled);
  const endedAt = outcome.kind === 'skipped' ? clock.now() : null;
  return { run: { ...owned, state: outcome.state, endedAt }, hasSlot: outcome.kind === 'taken' };
}

/**
 * Puts a run that was claimed by a ticket under the limit that only its class knows, if it is under none yet. False if it has to wait for
 * its slot: then it was given back, or dropped.
 *
 * @throws BatutaError STORE_…
 */
export async function bindLimit({ store, limits, log }: EngineServices, run: Run, definition: FlowDefinition): Promise<boolean> {
  const { name, runConcurrency: concurrency } = definition;
  if (run.concurrencyKey !== null || concurrency === null || run.parentRunId !== null) return true;
  let key: string | null;
  try {
    const params = maskedParams(decodeValue(run.params), sensitivePathsIn(run.params), 'hash');
    key = runScope.run(scopeBefore(log, definition, run), () => concurrencyKeyOf({ flow: { name, concurrency }, params }));
  } catch (error) {
    log.error({ err: error, runId: run.id }, 'The limit of the run could not be determined; it runs without one.');
    return true;
  }
  if (key === null) return true;
  const outcome = await store.limits.bind(claimOf(run), key);
  if (outcome.kind !== 'lost') limits.runs.cancelled(outcome.cancelled);
  return outcome.kind === 'taken';
}

/** Ends a run that was asked to make room for another, if it is in this process; if it had no owner, cancels its remaining sub-flows. */
export function endForRoom(services: EngineServices, { id, message }: CancelledRun, here: Pick<OwnedRun, 'cancel'> | undefined): void {
  if (here) return here.cancel(message, 'recorded');
  cancelBelow(services, id, message).catch((error: unknown) =>
    services.log.warn({ err: error, runId: id }, 'Sub-flows of a run that made room could not be cancelled.'),
  );
}

/**
 * Ends a run that was claimed after its deadline to begin. Returns true once that is done. If it cannot be ended, it is given back: an
 * expired lease would count as an owner lost while executing it.
 *
 * @throws BatutaError STORE_…
 */
export async function endExpired({ store, limits, lifecycle }: EngineServices, run: Run): Promise<true> {
  const claim = claimOf(run);
  const ended = await store.expiry
    .end(claim)
    .catch(async (error: unknown) => {
      await store.runs.release(claim).catch(() => undefined);
      throw error;
    })
    .finally(() => limits.runs.freed(run.concurrencyKey));
  if (ended !== null && lifecycle.isObserved) lifecycle.tell({ kind: 'ended', flow: run.flow, state: stateOf('CANCELLED', 'Expired') });
  return true;
}
