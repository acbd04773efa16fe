/**
 * Contract of rates: how many runs, and tasks of a tag, begin in any window of time.
 *
 * A sliding-window log (docs/decisions/0011-rates-by-a-log.md): each start counts until a full window after the instant by which it is
 * known to have happened; only then does the next take its place. A start is written before it happens, as one that may happen within some
 * seconds, and again once it has: neither a slow process nor one that dies in between frees a place too early. All times are UTC epoch ms
 * by the clock of the database.
 */
import type { RateName, Rate } from '../../model/rate.ts';
import type { Ticketed } from '../leases/contract.ts';

/** A run or task that wants to begin. */
export interface RateWish {
  /** Who waits, the same throughout the wait: the id of the run or task run. */
  readonly holder: string;
  /** The start itself: a new one each time it asks. */
  readonly start: string;
  readonly runId: string;
  /** Name of the task; null: the run itself. */
  readonly task: string | null;
  /** It begins once each of these has room. */
  readonly names: readonly RateName[];
  /** Higher goes first. */
  readonly priority: number;
}

/** The place of a start in each of its rates: it may begin from `beginAt` on. `at`: when that was decided. */
export interface RatePlace {
  readonly at: number;
  readonly beginAt: number;
}

export interface AskOptions {
  /** How long after its instant a start may happen: until then it counts unless it is confirmed, ms. */
  readonly withinMs: number;
  /** How long before its instant a place is given, ms. */
  readonly aheadMs: number;
}

/** A start that has happened, no later than at that instant. */
export interface RateStart {
  readonly start: string;
  readonly at: number;
}

/** `granted`: it may begin, without a place if no rate is declared · else its turn is in `waitMs` ms, at `nextAt`, because of that rate. */
export type RateAnswer =
  | { readonly granted: true; readonly place?: RatePlace }
  | {
      readonly granted: false;
      readonly waitMs: number;
      readonly nextAt: number;
      readonly name: string;
      readonly limit: number;
      readonly perMs: number;
    };

/** Current state of a rate. */
export interface RateView extends Rate {
  /** Of its declaration, or of one value of its key. */
  readonly name: string;
  /** What declares it, or did: `flow:<name>`, `deployment:<name>` or `tag:<tag>`. */
  readonly base: string;
  /** Starts that count now. */
  readonly used: number;
  /** When there is room again; null if there is now. */
  readonly nextAt: number | null;
  readonly waiting: number;
  /** In line order, at most 100. */
  readonly waiters: readonly RateWaiter[];
}

export interface RateWaiter {
  readonly runId: string;
  readonly runName: string;
  /** Null: the run itself waits. */
  readonly taskRunId: string | null;
  readonly sinceAt: number;
  readonly nextAt: number;
}

/** What waits of a run. */
export interface RateWait {
  readonly name: string;
  readonly limit: number;
  readonly perMs: number;
  readonly task: string | null;
  readonly count: number;
  /** When the first of them gets its turn. */
  readonly nextAt: number;
}

export interface RateStore {
  /**
   * For all at once: who may begin and from when on, and when the others get their turn. Waiters keep their place in line: higher priority
   * first, then the longest waiting. One that has not asked by the instant it was told no longer blocks others. Nothing is held if nobody
   * has a place in sight, nor on PostgreSQL if one rate is asked for and others do not keep writing in between; in neither case while
   * the disk is waited for. A place that is given is on disk.
   */
  ask(wishes: readonly RateWish[], options: AskOptions): Promise<readonly RateAnswer[]>;
  /** One statement, which does not wait for the disk: a start that the database forgets counts for longer. */
  started(starts: readonly RateStart[]): Promise<void>;
  /** One transaction: these starts do not happen. Their places are free when they would have been without them. */
  giveBack(starts: readonly string[]): Promise<void>;
  /** One statement: these no longer wait. */
  leave(holders: readonly string[]): Promise<void>;
  /**
   * One transaction per rate: unowned runs that need not wait as long as planned, because others left or the rate was raised. They are due
   * at once. Also clears away what is left of ended runs and unused rates.
   */
  advance(): Promise<readonly Ticketed[]>;
  /** Rates of tasks, by name. One statement. */
  tagRates(): Promise<readonly (Rate & { readonly name: string })[]>;
  setTagRate(name: string, rate: Rate): Promise<void>;
  /** False if there is none. */
  deleteTagRate(name: string): Promise<boolean>;
  /** All that are declared, under what declares them, and each value of a key in use; by name. */
  views(): Promise<readonly RateView[]>;
  /** What a run, or its tasks, wait for. */
  waitsOf(runId: string): Promise<readonly RateWait[]>;
}
