/** The claim of a run, and why one was refused. */
import { BatutaError } from '../../base/errors.ts';
import type { Run } from '../../model/run.ts';
import type { Claim, ClaimOutcome } from '../../store/store.ts';

/** The claim under which a run was given to its owner. */
export function claimOf({ id, epoch, owner }: Run): Claim {
  return { runId: id, epoch, owner };
}

/** RUN_NOT_FOUND, RUN_STATE_REFUSED (it has ended) or RUN_OWNED, naming the owner and the end of its lease. */
export function claimRefusal(runId: string, outcome: ClaimOutcome & { readonly claimed: false }): BatutaError {
  const details = { runId, owner: outcome.owner?.id ?? null, leaseUntil: outcome.leaseUntil };
  if (outcome.reason === 'missing') return new BatutaError('RUN_NOT_FOUND', `No run has the id ${runId}.`, { details });
  if (outcome.reason === 'ended')
    return new BatutaError('RUN_STATE_REFUSED', `Run ${runId} has ended; to run it again use retry.`, { details });
  const until = outcome.leaseUntil === null ? '' : ` until ${new Date(outcome.leaseUntil).toISOString()} unless it renews`;
  return new BatutaError(
    'RUN_OWNED',
    `Run ${runId} is being executed by ${outcome.owner?.id ?? 'another process'}, which holds it${until}.`,
    { details },
  );
}

/** Why a code flow cannot run a deployment here. */
export function knowsNoDeployments(name: string): BatutaError {
  return new BatutaError('DEPLOYMENT_NOT_FOUND', `The deployment '${name}' cannot be found here: this process was given none.`, {
    details: { deployment: name },
  });
}
