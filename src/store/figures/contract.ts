/**
 * Contract of what is counted over many runs. All times are UTC epoch ms, all durations ms.
 *
 * Counts are exact at the moment of the call. Ended runs of past hours are read from sums (`rollUp`); whatever the sums do not hold yet is
 * counted from the runs, so a store that was never summed up answers the same, only slower.
 */
import type { Durations } from '../../model/duration-ranges.ts';
import type { StateName, StateType } from '../../model/state.ts';
import type { RunFilter } from '../lists/contract.ts';

/** Scope: all runs, or those of one flow or deployment. */
export type FigureKind = 'all' | 'flow' | 'deployment';

/** Ended runs of one name and state that were created in one stretch of time. */
export interface EndedRuns {
  /** Of the flow or deployment; empty for `all`. */
  readonly name: string;
  /** Beginning of its stretch of time. */
  readonly at: number;
  readonly type: StateType;
  readonly runs: number;
  /** Runs that had started, and their total duration. */
  readonly timed: number;
  readonly totalMs: number;
  readonly durations: Durations;
}

/** Stretches of `widthMs` since `startAt`. */
export interface Slots {
  readonly startAt: number;
  readonly widthMs: number;
}

export interface EndedRunsWish {
  readonly kind: FigureKind;
  /** One flow or deployment; default all of the kind. */
  readonly name?: string;
  /** Created at or after, and before. */
  readonly fromAt: number;
  readonly untilAt: number;
  /** The resolution of `at`: hour or day (UTC), none (`at` is 0 then), or stretches of a length since an instant. */
  readonly by: 'hour' | 'day' | 'all' | Slots;
  /** True leaves out durations (`timed`, `totalMs` and `durations` are empty then), which is several times as fast. */
  readonly countsOnly?: boolean;
}

/** How many runs created in a stretch of time are in which state. */
export interface HistogramBucket {
  readonly startAt: number;
  readonly counts: Readonly<Partial<Record<StateType, number>>>;
}

export interface HistogramWish {
  readonly fromAt: number;
  readonly untilAt: number;
  /** Most buckets. */
  readonly buckets: number;
}

/** Task runs of a flow by task and state, with the durations of those that completed. */
export interface TaskFigures {
  readonly name: string;
  readonly runs: number;
  readonly failures: number;
  readonly timed: number;
  readonly totalMs: number;
  readonly durations: Durations;
  /** CPU time of those for which it is known. */
  readonly cpuTimes: Durations;
  /** Most memory of one of them, bytes; null if unknown. */
  readonly peakBytes: number | null;
}

/** Task runs of one task of a flow that one process executed last. */
export interface TaskWorkerFigures {
  readonly name: string;
  /** Id of the process; null if not recorded. */
  readonly owner: string | null;
  readonly runs: number;
  readonly failures: number;
  readonly totalMs: number;
}

/** What waits and runs in a queue; queues without runs are left out. */
export interface QueueFigures {
  readonly name: string;
  readonly waiting: number;
  readonly delayed: number;
  readonly running: number;
  readonly oldestAt: number | null;
  readonly inLastMinute: number;
  readonly outLastMinute: number;
}

/** Runs of one name that are late. */
export interface LateRuns {
  readonly deployment: string | null;
  readonly flow: string;
  readonly count: number;
  /** Longest late. */
  readonly runId: string;
  readonly sinceAt: number;
}

/** The last ended runs of a flow or deployment. */
export interface LastRuns {
  readonly kind: Exclude<FigureKind, 'all'>;
  readonly name: string;
  /** Of the newest. */
  readonly flow: string;
  readonly deployment: string | null;
  /** Newest first. */
  readonly runs: readonly { readonly id: string; readonly type: StateType; readonly endedAt: number }[];
}

export interface TaskCounts {
  /** Number of task runs, plus items of mapped tasks that have none yet. */
  readonly total: number;
  readonly ended: number;
  readonly failed: number;
  /** Ended task runs that were cancelled or skipped. */
  readonly stopped: number;
  /** Finished part of running ones by reported progress, in task runs: 0.4 for one at 40 %. */
  readonly underWay: number;
}

/** Ended runs of a flow that failed alike. */
export interface AlikeRuns {
  readonly flow: string;
  /** `key` of the origin of their failures. */
  readonly key: string;
  readonly runs: number;
  /** When the first of them ended. */
  readonly sinceAt: number;
}

export interface FigureStore {
  /** Open runs, by state. */
  open(): Promise<readonly { readonly type: StateType; readonly name: StateName; readonly count: number }[]>;
  /** Ended runs, in no order; empty if there are none. */
  ended(wish: EndedRunsWish): Promise<readonly EndedRuns[]>;
  /**
   * Runs by state over time, oldest first, empty buckets included. Buckets longer than an hour begin at full hours, those longer than a day
   * at midnight UTC, so there may be fewer than requested; the first begins at or before `fromAt`, and runs outside the range are not
   * counted.
   *
   * @throws BatutaError FILTER_INVALID
   */
  histogram(filter: RunFilter, wish: HistogramWish): Promise<readonly HistogramBucket[]>;
  /** Over the newest ended runs of a flow created since: at most 200 runs and 20,000 task runs. */
  tasks(flow: string, sinceAt: number): Promise<readonly TaskFigures[]>;
  /**
   * The same sample by task and process, in no order. Failures are those not fixed by a retry; a task run counts for the process that ended
   * it.
   */
  taskWorkers(flow: string, sinceAt: number): Promise<readonly TaskWorkerFigures[]>;
  /** By run; those without task runs are left out. Reads every task run of these runs. */
  taskCounts(runIds: readonly string[]): Promise<ReadonlyMap<string, TaskCounts>>;
  /** How many runs failed like these; those without any such run are left out. By an index over failures. */
  alike(failures: readonly { readonly flow: string; readonly key: string }[]): Promise<readonly AlikeRuns[]>;
  /** By name. Due is judged by the clock of the database. */
  queues(): Promise<readonly QueueFigures[]>;
  /** Longest late first; among the 1,000 oldest late runs. */
  late(): Promise<readonly LateRuns[]>;
  /** The last ended runs of each of these, at most `limit`. */
  last(of: readonly { readonly kind: LastRuns['kind']; readonly name: string }[], limit: number): Promise<readonly LastRuns[]>;
  /** By name, at most `limit` of each. Deployments and tags: only of existing runs. */
  facets(
    limit: number,
  ): Promise<{ readonly flows: readonly string[]; readonly deployments: readonly string[]; readonly tags: readonly string[] }>;
  /**
   * One transaction: sums up past hours, and again those in which runs have ended since. Any number of processes may call it. Returns the
   * instant up to which hours are summed up, and whether more is to be done.
   */
  rollUp(options?: { readonly maxHours?: number }): Promise<{ readonly doneUntil: number; readonly more: boolean }>;
}
