/**
 * Contract of leased work: what processes own while their leases hold, that is, runs (`FleetStore`) and spread task runs (`SpreadStore`);
 * the rules are in `model/lease.ts`.
 *
 * All times are UTC epoch ms. What is due, over or old is judged by the clock of the database (SQLite: of this machine).
 */
import type { Owner, Run } from '../../model/run.ts';

/** The fields of a ticket. */
export interface Ticketed extends Pick<Run, 'id' | 'epoch' | 'queue' | 'priority' | 'dueAt'> {}

export interface ReclaimOptions {
  /** Most per call. */
  readonly limit: number;
  /** Work with so many recoveries becomes Crashed. */
  readonly maxRecoveries: number;
  /** Owners known to be gone, whatever their leases say. */
  readonly goneOwners: readonly Owner[];
}

export interface LostReport {
  /** What waits again; each needs a ticket. */
  readonly waiting: readonly Ticketed[];
  /** What has ended: Crashed, or Cancelled because that was requested for it or its run. */
  readonly ended: readonly { readonly id: string; readonly runId: string; readonly message: string }[];
}

export interface LeaseStore {
  /**
   * One transaction over at most `limit` with a lost owner: its lease is over, or it is one of `goneOwners`. Their epochs are raised, so
   * that an owner that was merely frozen can write nothing more. They become Scheduled (Resuming); Crashed after too many recoveries;
   * Cancelled if that was requested. Concurrent calls take different ones.
   */
  reclaim(options: ReclaimOptions): Promise<LostReport>;
  /** Owners of held work, each once. */
  owners(): Promise<readonly Owner[]>;
  /**
   * One statement: what waits and is due, and for which no ticket was put in the last `ticketedBeforeMs` ms, longest waiting first. It
   * counts as ticketed from now on.
   */
  dueUnticketed(options: { readonly ticketedBeforeMs: number; readonly limit: number }): Promise<readonly Ticketed[]>;
}
