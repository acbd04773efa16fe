/** Contract of rollbacks: what runs have done that is to be undone if they end badly. All times are UTC epoch ms. */
import type { IntendedEnd, NotUndone, Rollback, RollbackSummary } from '../../model/rollback.ts';
import type { Claim } from '../ownership.ts';

export interface RollbackStore {
  /** One statement: from now on a bad end of the run has to undo something. Silently refused if the claim is old. */
  arm(claim: Claim, at: number): Promise<void>;
  /** The rollback of a run, null if it has nothing to undo. */
  get(runId: string): Promise<Rollback | null>;
  /** The rollbacks of these runs that have begun. One statement. */
  ofRuns(runIds: readonly string[]): Promise<readonly RollbackSummary[]>;
  /** One statement: sets how the run ends once it is rolled back. False if there is nothing to undo, or the claim is old. */
  begin(claim: Claim, end: IntendedEnd, at: number): Promise<boolean>;
  /** One statement: records the result. Silently refused if the claim is old. */
  finish(claim: Claim, result: { readonly undone: number; readonly remaining: readonly NotUndone[] }, at: number): Promise<void>;
}
