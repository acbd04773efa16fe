/** Contract of rollbacks: what runs have done that is to be undone should they end badly. All times are UTC epoch ms. */
import type { IntendedEnd, NotUndone, Rollback, RollbackSummary } from '../../model/rollback.ts';
import type { Claim } from '../ownership.ts';

export interface RollbackStore {
  /** One statement: from now on a bad end of the run has to undo something. Refused silently when the claim is old. */
  arm(claim: Claim, at: number): Promise<void>;
  /** The rollback of a run, null when it has nothing to undo. */
  get(runId: string): Promise<Rollback | null>;
  /** Those of these runs that have begun. One statement. */
  ofRuns(runIds: readonly string[]): Promise<readonly RollbackSummary[]>;
  /** One statement: the run ends so once it is rolled back. False when there is nothing to undo, or the claim is old. */
  begin(claim: Claim, end: IntendedEnd, at: number): Promise<boolean>;
  /** One statement: what came of it. Refused silently when the claim is old. */
  finish(claim: Claim, result: { readonly undone: number; readonly remaining: readonly NotUndone[] }, at: number): Promise<void>;
}
