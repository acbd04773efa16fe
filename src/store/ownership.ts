/** Proofs of ownership: what a write carries so that it can be refused once somebody else owns the thing. */
import type { Owner } from '../model/run.ts';
import { jsonText } from './storable.ts';

/** Proof of ownership that every write of an owner carries. */
export interface Claim {
  readonly runId: string;
  readonly epoch: number;
  /**
   * Whom the run was given to. A database that crashes may forget a claim made in its last moments, and the next owner then gets the same
   * epoch: if the owner is named, only its writes are accepted.
   */
  readonly owner?: Owner | null;
}

/** Proof that a worker holds a spread task run. */
export interface TaskClaim {
  readonly taskRunId: string;
  readonly epoch: number;
}

/** Proof that a process makes the value of a cache entry. */
export interface CacheClaim {
  readonly entryId: string;
  readonly epoch: number;
}

/** Proofs of ownership of leased work. */
export type AnyClaim = Claim | TaskClaim | CacheClaim;

export function claimedId(claim: AnyClaim): string {
  return 'runId' in claim ? claim.runId : 'taskRunId' in claim ? claim.taskRunId : claim.entryId;
}

/** Text that distinguishes claims. */
export function claimKey(claim: AnyClaim): string {
  return `${claimedId(claim)}:${claim.epoch}`;
}

/** The owner of a claim as stored in the table; null if none is named. */
export function ownerTextOf(claim: AnyClaim): string | null {
  return 'owner' in claim && claim.owner ? jsonText(claim.owner) : null;
}

/** Condition that what is claimed has the owner of this expression, if that names one. */
export function hasOwner(expression: string, table = 'runs'): string {
  return `coalesce(${expression}, ${table}.owner, '') = coalesce(${table}.owner, '')`;
}
