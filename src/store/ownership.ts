/** Proofs of ownership: what a write carries so that it can be refused once somebody else owns the thing. */
import type { Owner } from '../model/run.ts';
import { jsonText } from './storable.ts';

/** Proof of ownership that every write of an owner carries. */
export interface Claim {
  readonly runId: string;
  readonly epoch: number;
  /**
   * Whom the run was given to. A database that crashes may forget a claim that was made in its last moments, and the next owner then gets
   * the same epoch: where the owner is named, only that one's writes are accepted.
   */
  readonly owner?: Owner | null;
}

/** Proof that a worker holds a spread task run. */
export interface TaskClaim {
  readonly taskRunId: string;
  readonly epoch: number;
}

/** The owner of a claim as it stands in the table; null where none is named. */
export function ownerTextOf({ owner }: Claim): string | null {
  return owner === undefined || owner === null ? null : jsonText(owner);
}

/** Condition that the run in `runs` has the owner of this expression, if that names one. */
export function hasOwner(expression: string): string {
  return `coalesce(${expression}, runs.owner, '') = coalesce(runs.owner, '')`;
}
