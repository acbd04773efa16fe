/**
 * Contract of what schedulers need of the store: schedules that are due, and runs that wait for those before them.
 *
 * All times are UTC epoch ms. What is due is judged by the clock of the database (SQLite: of this machine). Which ticks become runs is
 * decided by whoever claims; the store only keeps any number of them from deciding about the same tick.
 */
import type { Concurrency, Deployment, DeploymentSchedule } from '../../model/deployment.ts';
import type { OpenTick } from '../../model/schedule/overlap.ts';
import type { RunPatch } from '../../model/run.ts';
import type { Ticketed } from '../leases/contract.ts';
import type { NewRun } from '../fleet/contract.ts';

/** A schedule with a tick that is due, claimed. */
export interface DueSchedule {
  readonly deployment: Deployment;
  /** Of its flow, as stored; null: none, or the flow is not stored. */
  readonly flowConcurrency: Concurrency | null;
  readonly schedule: DeploymentSchedule & { readonly nextTickAt: number };
}

/** A run that shall stand for a tick. */
export interface TickRun {
  /** Terminal for a tick that is dropped. */
  readonly run: NewRun & RunPatch;
  /** Whether it waits for runs of earlier ticks of its deployment to end. */
  readonly held: boolean;
}

/** The decision on one schedule that was claimed. */
export interface TickPlan {
  readonly runs: readonly TickRun[];
  /** Its next tick; earlier than the one it has leaves that one. */
  readonly nextTickAt: number | null;
  /** Why it is set aside: it ticks no more until it is deployed or resumed. */
  readonly fault?: string;
}

/** A schedule that was set aside, so that the others tick on. */
export interface SetAside {
  readonly deployment: string;
  readonly schedule: string;
  readonly fault: string;
}

export interface ClaimTicksOptions {
  /** Most schedules of one call. */
  readonly limit: number;
  /** How long before its tick a run is made, where the overlap policy of its deployment is `allow`; else it is made on the tick. */
  readonly lookAheadMs: number;
  /** Schedules whose tick is older than this are claimed only when there are not enough others. */
  readonly missedAfterMs: number;
}

export interface ClaimTicksReport {
  /** The clock of the database at the beginning. */
  readonly now: number;
  /** How many schedules were claimed. */
  readonly schedules: number;
  /** Runs that were made and may start; each wants a ticket. */
  readonly waiting: readonly Ticketed[];
  /** How many runs were made that wait for others. */
  readonly held: number;
  /** How many rows were made of dropped ticks. */
  readonly dropped: number;
  /** Those whose ticks cannot be turned into runs. */
  readonly setAside: readonly SetAside[];
}

export interface TickStore {
  /**
   * When the next tick is to be made into a run, null when none is within `withinMs`, and the clock that says so. One statement.
   */
  nextTurn(options: {
    readonly lookAheadMs: number;
    readonly withinMs: number;
  }): Promise<{ readonly now: number; readonly at: number | null }>;
  /**
   * One transaction: claims due schedules of deployments that are not paused, has their ticks decided about, makes the runs with their
   * transitions, and moves the schedules on. A tick for which a run is there already stays as it is. A schedule whose runs the database refuses is set
   * aside with the reason, like one whose plan says so; the others are not held up. Calls at the same time claim
   * different schedules, and where the overlap policy is not `allow`, schedules of different deployments.
   *
   * @param decide gives the plans in the order of the schedules. `open` are runs of earlier ticks that have not ended, oldest tick first, by
   * deployment; empty for those whose policy is `allow`.
   */
  claim(
    options: ClaimTicksOptions,
    decide: (due: readonly DueSchedule[], now: number, open: ReadonlyMap<string, readonly OpenTick[]>) => readonly TickPlan[],
  ): Promise<ClaimTicksReport>;
  /**
   * One transaction: lets the oldest held run of each deployment go in which no other run of a tick is open, at most 1,000. Each wants a
   * ticket. Those of a paused deployment or schedule stay where they are; nobody waits for those that a paused schedule keeps.
   *
   * @param deployments null: all
   */
  release(deployments: readonly string[] | null): Promise<readonly Ticketed[]>;
  /** Runs that have not ended and whose place a held run of a later tick takes (overlap `cancel-running`), 1,000 at most. Asked for already, or the deployment or schedule of the later one paused: left out. */
  overtaken(): Promise<readonly string[]>;
  /** One statement: marks at most `limit` runs as Late that wait for longer than `lateAfterMs` since they were due. Gives their ids. */
  markLate(options: { readonly lateAfterMs: number; readonly limit: number }): Promise<readonly string[]>;
}
