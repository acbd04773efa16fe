/**
 * Contract of leased work: what processes own for as long as their leases hold. Runs (`FleetStore`) and spread task runs (`SpreadStore`)
 * are such; the rules stand in `model/lease.ts`.
 *
 * All times are UTC epoch ms. What is due, over or old is judged by the clock of the database (SQLite: of this machine).
 */
import type { Owner, Run } from '../../model/run.ts';

/** What a ticket is made of. */
export interface Ticketed extends Pick<Run, 'id' | 'epoch' | 'queue' | 'priority' | 'dueAt'> {}

export interface ReclaimOptions {
  /** Most of one call. */
  readonly limit: number;
  /** What has had so many recoveries already becomes Crashed. */
  readonly maxRecoveries: number;
  /** Owners that are known to be gone, whatever their leases say. */
  readonly goneOwners: readonly Owner[];
}

export interface LostReport {
  /** What waits again; each wants a ticket. */
  readonly waiting: readonly Ticketed[];
  /** What has ended: Crashed, or Cancelled because that was asked of it or its run. */
  readonly ended: readonly { readonly id: string; readonly runId: string; readonly message: string }[];
}

export interface LeaseStore {
  /**
   * One transaction over at most `limit` whose owner is lost: its lease is over, or it is one of `goneOwners`. Their epochs are raised, so
   * that an owner which only was frozen can write nothing more. They become Scheduled (Resuming); Crashed after too many recoveries;
   * Cancelled when that was asked. Calls at the same time take different ones.
   */
  reclaim(options: ReclaimOptions): Promise<LostReport>;
  /** Owners of what is held, each once. */
  owners(): Promise<readonly Owner[]>;
  /**
   * One statement: what waits and is due, and for which no ticket was put since `ticketedBefore` ms ago, longest waiting first. It counts
   * as ticketed from now on.
   */
  dueUnticketed(options: { readonly ticketedBeforeMs: number; readonly limit: number }): Promise<readonly Ticketed[]>;
}
