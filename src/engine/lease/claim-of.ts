/** The claim that a run carries. */
import type { Run } from '../../model/run.ts';
import type { Claim } from '../../store/store.ts';

/** The claim under which a run was given to its owner. */
export function claimOf({ id, epoch, owner }: Run): Claim {
  return { runId: id, epoch, owner };
}
