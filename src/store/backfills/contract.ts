/** Contract of what is stored of backfills. Times are UTC epoch ms. */
import type { Backfill } from '../../model/deployment.ts';
import type { Schedule } from '../../model/schedule/schedule.ts';
import type { Ticketed } from '../leases/contract.ts';
import type { Page } from '../lists/contract.ts';
import type { NewRun } from '../fleet/contract.ts';

/** A backfill as it is stored. */
export interface StoredBackfill extends Backfill {
  /** The rule it goes over, as it was when it began. */
  readonly rule: Schedule;
  /** How far runs have been made. Oldest first: ticks before it have theirs; newest first: ticks at it and after. */
  readonly place: number;
  /** How many runs were made. */
  readonly made: number;
  /** When it was last resumed: what failed until then is run again. */
  readonly resumedAt: number | null;
}

/** The runs of a backfill that are there, by their state. */
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

/** The runs of its next ticks, at most `count`, and the place behind them; no runs when there are no more ticks; null when it cannot be told. */
export type PlanRuns = (backfill: StoredBackfill, count: number) => { readonly runs: readonly NewRun[]; readonly next: number } | null;

/** What a step came to. */
export interface BackfillStep {
  /** Runs that may start; each wants a ticket. */
  readonly waiting: readonly Ticketed[];
  /** Whether it had as many as it may have at once, so that more could be done. */
  readonly isFull: boolean;
}

export interface BackfillStore {
  /** One statement. */
  insert(backfill: StoredBackfill): Promise<void>;
  /** One, or null. An id may be cut to a beginning or end (at least 4 characters). @throws BatutaError BACKFILL_NOT_FOUND when several fit */
  get(id: string): Promise<StoredBackfill | null>;
  /** Newest first. @throws BatutaError FILTER_INVALID */
  list(filter?: { readonly deployment?: string; readonly limit?: number; readonly cursor?: string }): Promise<Page<StoredBackfill>>;
  /** Those that have not ended, oldest first. */
  open(limit: number): Promise<readonly StoredBackfill[]>;
  /** How many of its runs have not ended. */
  openCount(id: string): Promise<number>;
  /** For each of these ids, its runs by state; goes over all of them. */
  counts(ids: readonly string[]): Promise<ReadonlyMap<string, BackfillCounts>>;
  /**
   * One transaction, in which nobody else steps: opens runs again that had failed when it was resumed, then makes the next ones, as many as
   * there are places free and at most `maxRuns`, and moves its place on. Ends it when nothing is left and no run goes on.
   *
   * @param plan says which runs come next
   * @returns null when it is over, or was cancelled
   */
  step(id: string, options: { readonly at: number; readonly maxRuns: number }, plan: PlanRuns): Promise<BackfillStep | null>;
  /** One statement: it has no more ticks and no run that goes on. Its total becomes the number of runs made, unless it was cancelled. */
  end(id: string, at: number): Promise<void>;
  /** One statement: no further runs are made. False when it has ended, or is not there. */
  requestCancel(id: string, at: number): Promise<boolean>;
  /** One statement: opens it again. False when it is not there. */
  resume(id: string, at: number): Promise<boolean>;
  /** Ids of its runs that have not ended and were not asked to, in no order. */
  openRuns(id: string, limit: number): Promise<readonly string[]>;
}
