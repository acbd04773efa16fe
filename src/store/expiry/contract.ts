/** Contract of runs that must begin by an instant, their `ttl`, and how they end otherwise. All times are UTC epoch ms. */
import type { Claim } from '../ownership.ts';

/** A run that has ended as Cancelled (Expired). */
export interface ExpiredRun {
  readonly id: string;
  readonly flow: string;
  readonly concurrencyKey: string | null;
}

/** What one pass has ended. `hasMore`: there may be more whose instant has passed. */
export interface ExpiryPass {
  readonly ended: readonly ExpiredRun[];
  readonly hasMore: boolean;
}

export interface ExpiryStore {
  /**
   * One transaction: reads up to `limit` runs whose instant has passed, by the clock of the database, and ends those that have not begun:
   * they have no owner, and never lost one. Runs that have begun or ended are not read again.
   */
  expire(options: { readonly limit: number }): Promise<ExpiryPass>;
  /** One transaction: ends the run of a claim, by which it was found to have expired. Null if the claim is old. */
  end(claim: Claim): Promise<ExpiredRun | null>;
}
