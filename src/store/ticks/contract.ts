/**
 * Contract of what schedulers need of the store: due schedules, and runs that wait for earlier ones.
 *
 * All times are UTC epoch ms. What is due is judged by the clock of the database (SQLite: of this machine). The claimer decides which ticks
 * become runs; the store only ensures that no two decide about the same tick.
 */
import type { Concurrency, Deployment, DeploymentSchedule } from '../../model/deployment.ts';
import type { OpenTick } from '../../model/schedule/overlap.ts';
import type { RunPatch } from '../../model/run.ts';
import type { Ticketed } from '../leases/contract.ts';
import type { NewRun } from '../fleet/contract.ts';

/** A schedule with a due tick, claimed. */
export interface DueSchedule {
  readonly deployment: Deployment;
  /** Of its flow, as stored; null: none, or the flow is not stored. */
  readonly flowConcurrency: Concurrency | null;
  readonly schedule: DeploymentSchedule & { readonly nextTickAt: number };
}

/** A run that represents a tick. */
export interface TickRun {
  /** Terminal for a tick that is dropped. */
  readonly run: NewRun & RunPatch;
  /** Whether it waits for runs of earlier ticks of its deployment to end. */
  readonly held: boolean;
}

/** The decision on one claimed schedule. */
export interface TickPlan {
  readonly runs: readonly TickRun[];
  /** Its next tick; one earlier than the present one is ignored. */
  readonly nextTickAt: number | null;
  /** Why it is set aside: it does not tick until it is deployed or resumed. */
  readonly fault?: string;
}

/** A schedule that was set aside, so that the others tick on. */
export interface SetAside {
  readonly deployment: string;
  readonly schedule: string;
  readonly fault: string;
}

export interface ClaimTicksOptions {
  /** Most schedules per call. */
  readonly limit: number;
  /** How long before its tick a run is made, if the overlap policy of its deployment is `allow`; else it is made on the tick. */
  readonly lookAheadMs: number;
  /** Schedules whose tick is older than this are claimed only if there are not enough others. */
  readonly missedAfterMs: number;
}

export interface ClaimTicksReport {
  /** The clock of the database at the beginning. */
  readonly now: number;
  /** How many schedules were claimed. */
  readonly schedules: number;
  /** Runs that were made and may start; each needs a ticket. */
  readonly waiting: readonly Ticketed[];
  /** Number of runs made that wait for others. */
  readonly held: number;
  /** Number of rows made for dropped ticks. */
  readonly dropped: number;
  /** Schedules whose ticks cannot be turned into runs. */
  readonly setAside: readonly SetAside[];
}

export interface TickStore {
  /** When the next tick is to be made into a run, null if none is within `withinMs`, and now by that clock. One statement. */
  nextTurn(options: {
    readonly lookAheadMs: number;
    readonly withinMs: number;
  }): Promise<{ readonly now: number; readonly at: number | null }>;
  /**
   * One transaction: claims due schedules of deployments that are not paused, has their ticks decided, makes the runs with their
   * transitions, and moves the schedules on. A tick that already has a run stays as it is. A schedule whose runs the database refuses is
   * set aside with the reason, like one whose plan says so; the others are not held up. Concurrent calls claim different schedules and, if
   * the overlap policy is not `allow`, schedules of different deployments.
   *
   * @param decide returns the plans in the order of the schedules. `open` are open runs of earlier ticks, oldest tick first, by deployment;
   * empty for those whose policy is `allow`.
   */
  claim(
    options: ClaimTicksOptions,
    decide: (due: readonly DueSchedule[], now: number, open: ReadonlyMap<string, readonly OpenTick[]>) => readonly TickPlan[],
  ): Promise<ClaimTicksReport>;
  /**
   * One transaction: starts the oldest held run of each deployment that has no other open run of a tick, at most 1,000. Each needs a
   * ticket. Those of a paused deployment or schedule stay held; nobody waits for those that a paused schedule holds.
   *
   * @param deployments null: all
   */
  release(deployments: readonly string[] | null): Promise<readonly Ticketed[]>;
  /**
   * Open runs that a held run of a later tick replaces (overlap `cancel-running`), at most 1,000. Left out if already asked, or if the
   * deployment or schedule of the later run is paused.
   */
  overtaken(): Promise<readonly string[]>;
  /** One statement: marks at most `limit` runs as Late that are overdue by more than `lateAfterMs`. Returns their ids. */
  markLate(options: { readonly lateAfterMs: number; readonly limit: number }): Promise<readonly string[]>;
}
