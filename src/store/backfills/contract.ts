/** Contract of what is stored of backfills. Times are UTC epoch ms. */
import type { Backfill } from '../../model/deployment.ts';
import type { Schedule } from '../../model/schedule/schedule.ts';
import type { Ticketed } from '../leases/contract.ts';
import type { Page } from '../lists/contract.ts';
import type { NewRun } from '../fleet/contract.ts';

export interface StoredBackfill extends Backfill {
  /** The rule it goes over, as it was when it began. */
  readonly rule: Schedule;
  /** How far runs have been made. Oldest first: ticks before it have theirs; newest first: ticks at it and after. */
  readonly place: number;
  /** How many runs were made. */
  readonly made: number;
  /** When it was last resumed: what failed before that is run again. */
  readonly resumedAt: number | null;
}

/** The existing runs of a backfill, by state. */
export interface BackfillCounts {
  /** Scheduled or Pending. */
  readonly waiting: number;
  /** Running, suspended or being cancelled. */
  readonly running: number;
  readonly completed: number;
  /** Failed or crashed. */
  readonly failed: number;
  readonly cancelled: number;
}

/** The runs of its next ticks, at most `count`, and the place after them; no runs if there are no more ticks; null if that is unknown. */
export type PlanRuns = (backfill: StoredBackfill, count: number) => { readonly runs: readonly NewRun[]; readonly next: number } | null;

/** Result of a step. */
export interface BackfillStep {
  /** Runs that may start; each needs a ticket. */
  readonly waiting: readonly Ticketed[];
  /** Whether it made as many runs as allowed at once, so that more could be done. */
  readonly isFull: boolean;
}

export interface BackfillStore {
  /** One statement. */
  insert(backfill: StoredBackfill): Promise<void>;
  /** One, or null. An id may be cut to a beginning or end (at least 4 characters). @throws BatutaError BACKFILL_NOT_FOUND if several fit */
  get(id: string): Promise<StoredBackfill | null>;
  /** Newest first. @throws BatutaError FILTER_INVALID */
  list(filter?: { readonly deployment?: string; readonly limit?: number; readonly cursor?: string }): Promise<Page<StoredBackfill>>;
  /** Open ones, oldest first. */
  open(limit: number): Promise<readonly StoredBackfill[]>;
  /** How many of its runs are open. */
  openCount(id: string): Promise<number>;
  /** For each of these ids, its runs by state; reads all of them. */
  counts(ids: readonly string[]): Promise<ReadonlyMap<string, BackfillCounts>>;
  /**
   * One transaction, in which nobody else steps: reopens runs that had failed when it was resumed, then makes the next ones, as many as
   * there are free places and at most `maxRuns`, and moves its place on. Ends it if nothing is left and no run is open.
   *
   * @param plan decides which runs come next
   * @returns null if it is over, or was cancelled
   */
  step(id: string, options: { readonly at: number; readonly maxRuns: number }, plan: PlanRuns): Promise<BackfillStep | null>;
  /** One statement: it has no more ticks and no open run. Its total becomes the number of runs made, unless it was cancelled. */
  end(id: string, at: number): Promise<void>;
  /** One statement: no further runs are made. False if it has ended, or does not exist. */
  requestCancel(id: string, at: number): Promise<boolean>;
  /** One statement: reopens it. False if it does not exist. */
  resume(id: string, at: number): Promise<boolean>;
  /** Ids of its open runs that were not asked to end, in no order. */
  openRuns(id: string, limit: number): Promise<readonly string[]>;
}
