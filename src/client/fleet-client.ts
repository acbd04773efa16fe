/** Contract of queries about the fleet as a whole: workers, queues, limits, figures. Times are UTC epoch ms. */
import type { Alike, FailedRun } from '../model/failure-sentence.ts';
import type { TagRate } from '../model/rate.ts';
import type { Reporter } from '../model/report.ts';
import type { ListedRun } from '../model/run.ts';
import type { HistogramBucket, Page, PoolUse, RunFilter, StoredWorker } from '../store/store.ts';
import type { UpcomingTick } from './deployments-client.ts';

export type { WaitReason } from './wait-reason.ts';
export type { HistogramBucket, TaskRunFilter } from '../store/store.ts';

export interface QueueView {
  readonly name: string;
  /** Runs that are due and wait for a worker. */
  readonly waiting: number;
  /** Runs that wait for their instant. */
  readonly delayed: number;
  readonly running: number;
  /** Due time of the longest waiting run; null if none waits. */
  readonly oldestAt: number | null;
  /** Live workers that serve it. */
  readonly workers: number;
  /** Runs submitted, and ended, in the last minute. */
  readonly inLastMinute: number;
  readonly outLastMinute: number;
}

export interface LimitHolder {
  readonly runId: string;
  readonly runName: string;
  /** Task run that holds or waits; null for a limit on runs. */
  readonly taskRunId: string | null;
  readonly sinceAt: number;
  /** When it continues, if known; missing except for those that wait for a rate. */
  readonly nextAt?: number;
}

/** A bound on what runs at the same time (`rate` is missing), or on what begins in a window of time. */

export interface LimitView {
  /** `tag:db` for tasks of a tag; `flow:<name>` or `deployment:<name>` (with `:<key>`) for runs. */
  readonly name: string;
  /** How many at the same time; for a rate, how many begin in a window. */
  readonly slots: number;
  /** For a rate: its window, and when there is room again; null if there is now. Missing for a limit on what runs at the same time. */
  readonly rate?: { readonly perMs: number; readonly key: string | null; readonly nextAt: number | null };
  /** False for limits declared by a flow or deployment. */
  readonly changeable: boolean;
  /** Longest first, at most 100. */
  readonly holders: readonly LimitHolder[];
  readonly waiters: readonly LimitHolder[];
  /** Slots in use; for a rate, starts in the window that ends now. */
  readonly held: number;
  readonly waiting: number;
}

export interface LimitsClient {
  list(): Promise<readonly LimitView[]>;
  /** @throws BatutaError NAME_INVALID, OPTION_INVALID (slots: whole number from 0) */
  set(name: string, slots: number): Promise<LimitView>;
  /** Sets how many tasks of a tag may begin in a window. @throws BatutaError NAME_INVALID, OPTION_INVALID, DURATION_INVALID */
  setRate(name: string, rate: TagRate): Promise<LimitView>;
  /** @param which only that one; default both. @throws BatutaError LIMIT_NOT_FOUND */
  delete(name: string, which?: 'slots' | 'rate'): Promise<void>;
}

/**
 * Figures of one flow, deployment or task over ended runs. Counts and mean are exact. Durations are from start to end, ms; percentiles are
 * at most 2.5 % (and 1 ms) off, so that a million runs can be covered; null if nothing ended that had started.
 */
export interface Figures {
  readonly name: string;
  readonly runs: number;
  readonly failures: number;
  readonly meanMs: number | null;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
}

/** Figures of a task with its usage: CPU time over task runs that report it, ms, and peak memory of one, bytes; null if unknown. */
export interface TaskFiguresView extends Figures {
  readonly cpuP50Ms: number | null;
  readonly cpuP95Ms: number | null;
  readonly peakBytes: number | null;
}

export interface FlowFigures extends Figures {
  /** Slowest first, by p50. Sample: the newest 200 ended runs, at most 20,000 task runs. */
  readonly tasks: readonly TaskFiguresView[];
}

/** How often a process has executed a task, and the outcomes. Sample: the newest 200 ended runs, at most 20,000 task runs. */
export interface TaskWorkerView {
  readonly task: string;
  /** Id of the process; null if not recorded. */
  readonly worker: string | null;
  /** Host and number of the process, if in the id. */
  readonly host: string | null;
  readonly pid: number | null;
  readonly runs: number;
  /** Failures that no retry fixed. */
  readonly failures: number;
  readonly meanMs: number;
}

/** Days of a deployment or flow by outcome, for a year's heat map and its durations over time. */
export interface DayFigures {
  /** Midnight UTC. */
  readonly startAt: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
}

/** A problem that needs a person's attention. */
export interface Attention {
  readonly kind: 'failing' | 'late' | 'lost' | 'no-worker' | 'no-scheduler';
  /** Deployment, or flow if there is none; worker or queue if it concerns one. */
  readonly name: string;
  readonly flow: string;
  readonly message: string;
  readonly sinceAt: number;
  readonly runId: string | null;
  /**
   * For failures: the parts of `message`. `streak` is how many failed in a row; the rest makes up the sentence about the newest run,
   * without its stack.
   */
  readonly failure: (FailedRun & { readonly streak: string; readonly alike: Alike | null }) | null;
}

export interface Overview {
  readonly sinceAt: number;
  readonly untilAt: number;
  /** Runs created in this period, by outcome; `failed` includes the crashed. */
  readonly runs: number;
  readonly completed: number;
  readonly failed: number;
  /** Right now, whenever created. Includes late ones. */
  readonly late: number;
  readonly running: number;
  readonly waiting: number;
  readonly next: UpcomingTick | null;
  readonly histogram: readonly HistogramBucket[];
  /** Worst first, at most 20. */
  readonly attention: readonly Attention[];
  /** Newest first, at most 20, each with its progress. */
  readonly runningNow: readonly RunListItem[];
  /** The next tick of each schedule, soonest first, at most 20. */
  readonly upcoming: readonly UpcomingTick[];
  readonly workers: readonly WorkerView[];
  readonly queues: readonly QueueView[];
}

/** Figures of the fleet and of the server that answers. */
export interface Monitoring {
  /** When they were read from the database. */
  readonly at: number;
  /** Runs that are due and wait for a worker. */
  readonly waiting: number;
  /** Runs that wait for their instant. */
  readonly delayed: number;
  readonly running: number;
  /** Due time of the longest waiting run; null if none waits. */
  readonly oldestAt: number | null;
  /** Runs submitted, and ended, in the last minute. */
  readonly inLastMinute: number;
  readonly outLastMinute: number;
  /** How overdue the oldest tick without a run is; 0 if none is. */
  readonly scheduleLagMs: number;
  readonly workers: {
    readonly alive: number;
    readonly silent: number;
    /** Of live workers: runs they may execute, and do execute. */
    readonly places: number;
    readonly used: number;
    readonly longestLagMs: number;
  };
  /** Over all limits: slots in use, and runs or tasks that wait for one. */
  readonly limits: { readonly used: number; readonly waiting: number };
  readonly cache: { readonly entries: number; readonly bytes: number; readonly hits: number; readonly misses: number };
  readonly server: {
    /** Open streams of live events. */
    readonly streams: number;
    readonly memoryBytes: number;
    /** Its connections to PostgreSQL; null on SQLite. */
    readonly database: PoolUse | null;
  };
}

/** A worker and whether it is alive. */
export interface WorkerView extends StoredWorker {
  /** `alive`: gave a sign of life within a lease · `silent`: did not · `gone`: its process has ended; known only on the same machine. */
  readonly state: 'alive' | 'silent' | 'gone';
}

/** A run in a list, with its task runs counted. */
export interface RunListItem extends ListedRun {
  /** Recorded task runs plus pending mapped items; how many of them ended and failed; progress of running ones: 0.4 for one at 40 %. */
  readonly tasks: {
    readonly total: number;
    readonly ended: number;
    readonly failed: number;
    readonly stopped: number;
    readonly underWay: number;
  };
  /** For a failed run: how many others failed like it, since when; else null. */
  readonly alike: Alike | null;
  /** The version it is pinned to; null if it is not pinned or has not begun. */
  readonly pinnedTo: string | null;
}

export interface HistogramOptions {
  /** 1 to 500, default 60. */
  readonly buckets?: number;
  /** Default now and a day before. */
  readonly fromAt?: number;
  readonly untilAt?: number;
}

/** All counts are exact at the moment of the call, unless noted. */
export interface FiguresClient {
  /** Default: the last day. */
  overview(options?: { readonly sinceAt?: number }): Promise<Overview>;
  /** The list of runs as shown in the dashboard. */
  runs(filter?: RunFilter): Promise<Page<RunListItem>>;
  /**
   * Oldest first, empty buckets included. Buckets longer than an hour begin at full hours, those longer than a day at midnight UTC; there
   * may be fewer than requested.
   *
   * @throws BatutaError FILTER_INVALID
   */
  histogram(filter?: RunFilter, options?: HistogramOptions): Promise<readonly HistogramBucket[]>;
  /** Over ended runs created since then, default 30 days. By name; flows without runs have zeros. */
  flows(options?: { readonly sinceAt?: number }): Promise<readonly Figures[]>;
  /** @throws BatutaError FLOW_NOT_FOUND, naming the nearest. */
  flow(name: string, options?: { readonly sinceAt?: number }): Promise<FlowFigures>;
  /**
   * Tasks of a flow by the process that ended their task runs, sorted by task, then by count. Default: the last 30 days.
   *
   * @throws BatutaError FLOW_NOT_FOUND, naming the nearest
   */
  taskWorkers(name: string, options?: { readonly sinceAt?: number }): Promise<readonly TaskWorkerView[]>;
  /**
   * A year of days by the creation of their runs, oldest first, without days that have no ended runs. Days stay when retention deletes
   * their runs. Of a deployment if both are given, of all runs if neither is.
   */
  days(of: { readonly flow?: string; readonly deployment?: string }): Promise<readonly DayFigures[]>;
  /** By name; queues with runs or workers. */
  queues(): Promise<readonly QueueView[]>;
  /** By name. */
  workers(): Promise<readonly WorkerView[]>;
  /** By name, newest first. */
  reporters(): Promise<readonly Reporter[]>;
  /** Values of tags, flows and deployments for filters, at most 200 each. */
  facets(): Promise<{ readonly flows: readonly string[]; readonly deployments: readonly string[]; readonly tags: readonly string[] }>;
}

/** The runs of a bulk change: either by ids, or those that match the filter now (exactly one of the two). */
export interface BulkWish {
  readonly ids?: readonly string[];
  /** Its `limit` and `cursor` are ignored; an empty one means all runs. */
  readonly filter?: RunFilter;
  /** Only counts what would be changed. */
  readonly dryRun?: boolean;
}

/** What a bulk change did. */
export interface BulkReport {
  readonly matched: number;
  /** With `dryRun`, those whose state allows it. */
  readonly changed: number;
  /** Those whose state does not allow it, at most 100, and why. */
  readonly refused: readonly { readonly id: string; readonly message: string }[];
}
