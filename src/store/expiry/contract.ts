/** Contract of runs that must begin by an instant, their `ttl`, and how those end that have not. All times are UTC epoch ms. */
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
   * One transaction: looks at up to `limit` runs whose instant has passed, by the clock of the database, and ends those that have not begun:
   * nobody owns them, and nobody has lost them. What has begun or ended is looked at no more.
   */
  expire(options: { readonly limit: number }): Promise<ExpiryPass>;
  /** One transaction: ends the run of a claim, by which it was found to have expired. Null when the claim is old. */
  end(claim: Claim): Promise<ExpiredRun | null>;
}
