/** Contract of what can be asked about the fleet as a whole: workers, queues, limits, figures. Times are UTC epoch ms. */
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
  /** Since when the longest waiting has been due; null when none waits. */
  readonly oldestAt: number | null;
  /** Living workers that serve it. */
  readonly workers: number;
  /** Runs that came in, and that ended, in the last minute. */
  readonly inLastMinute: number;
  readonly outLastMinute: number;
}

export interface LimitHolder {
  readonly runId: string;
  readonly runName: string;
  /** Task run that holds or waits; null for a limit on runs. */
  readonly taskRunId: string | null;
  readonly sinceAt: number;
  /** When it goes on, as far as that is known; missing save for those that wait for a rate. */
  readonly nextAt?: number;
}

/** A bound on what goes on at the same time (`rate` is missing), or on what begins in a window of time. */

export interface LimitView {
  /** `tag:db` for tasks of a tag; `flow:<name>` or `deployment:<name>` (with `:<key>`) for runs. */
  readonly name: string;
  /** How many at the same time; of a rate, how many begin in a window. */
  readonly slots: number;
  /** Of a rate: its window, and when there is room again; null where there is now. Missing for a limit on what goes on at the same time. */
  readonly rate?: { readonly perMs: number; readonly key: string | null; readonly nextAt: number | null };
  /** False for those that a flow or deployment declares. */
  readonly changeable: boolean;
  /** Longest first, 100 at most. */
  readonly holders: readonly LimitHolder[];
  readonly waiters: readonly LimitHolder[];
  /** Slots that are held; of a rate, starts in the window that ends now. */
  readonly held: number;
  readonly waiting: number;
}

export interface LimitsClient {
  list(): Promise<readonly LimitView[]>;
  /** @throws BatutaError NAME_INVALID, OPTION_INVALID (slots: whole number from 0) */
  set(name: string, slots: number): Promise<LimitView>;
  /** Sets how many tasks of a tag may begin in a window. @throws BatutaError NAME_INVALID, OPTION_INVALID, DURATION_INVALID */
  setRate(name: string, rate: TagRate): Promise<LimitView>;
  /** @param which only that of the two; default both. @throws BatutaError LIMIT_NOT_FOUND */
  delete(name: string, which?: 'slots' | 'rate'): Promise<void>;
}

/**
 * Figures of one flow, deployment or task over ended runs. Counts and mean are exact. Durations are from start to end, ms; percentiles are at
 * most 2.5 % (and 1 ms) off, so that they can be told of a million runs; null when nothing ended that had started.
 */
export interface Figures {
  readonly name: string;
  readonly runs: number;
  readonly failures: number;
  readonly meanMs: number | null;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
}

/** Figures of a task, with what it used: CPU time over those task runs of which it is known, ms, and the most memory of one, bytes; null where none is. */
export interface TaskFiguresView extends Figures {
  readonly cpuP50Ms: number | null;
  readonly cpuP95Ms: number | null;
  readonly peakBytes: number | null;
}

export interface FlowFigures extends Figures {
  /** Slowest first, by p50. Of a sample: the newest 200 ended runs, 20,000 task runs at most. */
  readonly tasks: readonly TaskFiguresView[];
}

/** How often a process has executed a task, and how that went. Of a sample: the newest 200 ended runs, 20,000 task runs at most. */
export interface TaskWorkerView {
  readonly task: string;
  /** Id of the process; null where that is not recorded. */
  readonly worker: string | null;
  /** Host and number of the process, as far as the id tells. */
  readonly host: string | null;
  readonly pid: number | null;
  readonly runs: number;
  /** Those that no retry made good. */
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

/** Something wrong that a person should look at. */
export interface Attention {
  readonly kind: 'failing' | 'late' | 'lost' | 'no-worker' | 'no-scheduler';
  /** Deployment, or flow where there is none; worker or queue where it is about one. */
  readonly name: string;
  readonly flow: string;
  readonly message: string;
  readonly sinceAt: number;
  readonly runId: string | null;
  /**
   * Of what fails: what `message` is made of. `streak` says how many failed in a row; the rest is what the sentence about the newest run is
   * made of, without its stack.
   */
  readonly failure: (FailedRun & { readonly streak: string; readonly alike: Alike | null }) | null;
}

export interface Overview {
  readonly sinceAt: number;
  readonly untilAt: number;
  /** Runs created in this time, and what they have become; `failed` holds the crashed. */
  readonly runs: number;
  readonly completed: number;
  readonly failed: number;
  /** Right now, whenever they were created. Late ones wait too. */
  readonly late: number;
  readonly running: number;
  readonly waiting: number;
  readonly next: UpcomingTick | null;
  readonly histogram: readonly HistogramBucket[];
  /** Worst first, 20 at most. */
  readonly attention: readonly Attention[];
  /** Newest first, 20 at most, each with how much of it is done. */
  readonly runningNow: readonly RunListItem[];
  /** The next tick of each schedule, soonest first, 20 at most. */
  readonly upcoming: readonly UpcomingTick[];
  readonly workers: readonly WorkerView[];
  readonly queues: readonly QueueView[];
}

/** Figures of the fleet and of the server that was asked. */
export interface Monitoring {
  /** When they were read from the database. */
  readonly at: number;
  /** Runs that are due and wait for a worker. */
  readonly waiting: number;
  /** Runs that wait for their instant. */
  readonly delayed: number;
  readonly running: number;
  /** Since when the longest waiting run has been due; null when none waits. */
  readonly oldestAt: number | null;
  /** Runs that came in, and that ended, in the last minute. */
  readonly inLastMinute: number;
  readonly outLastMinute: number;
  /** How long the oldest tick has been due that has no run yet; 0 when none is. */
  readonly scheduleLagMs: number;
  readonly workers: {
    readonly alive: number;
    readonly silent: number;
    /** Of those that are alive: runs they may execute, and do execute. */
    readonly places: number;
    readonly used: number;
    readonly longestLagMs: number;
  };
  /** Over all limits: slots that are held, and runs or tasks that wait for one. */
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

/** A worker, and whether it is there. */
export interface WorkerView extends StoredWorker {
  /** `alive`: it gave a sign of life within a lease · `silent`: it did not · `gone`: its process has ended; known of those on the same machine. */
  readonly state: 'alive' | 'silent' | 'gone';
}

/** A run in a list, with its task runs counted. */
export interface RunListItem extends ListedRun {
  /** Task runs recorded so far and items of mapped tasks still to come, of these the ended and the failed, and how much of those that run is done: 0.4 for one that is at 40 %. */
  readonly tasks: {
    readonly total: number;
    readonly ended: number;
    readonly failed: number;
    readonly stopped: number;
    readonly underWay: number;
  };
  /** Of one that failed: how many others failed like it, since when; null of all others. */
  readonly alike: Alike | null;
  /** The version to which it is pinned; null of one that is not, or has not begun. */
  readonly pinnedTo: string | null;
}

export interface HistogramOptions {
  /** 1 to 500, default 60. */
  readonly buckets?: number;
  /** Default now and a day before. */
  readonly fromAt?: number;
  readonly untilAt?: number;
}

/** All counts are exact at the moment of the call, unless said otherwise. */
export interface FiguresClient {
  /** Default since a day ago. */
  overview(options?: { readonly sinceAt?: number }): Promise<Overview>;
  /** The list of runs as the dashboard shows it. */
  runs(filter?: RunFilter): Promise<Page<RunListItem>>;
  /**
   * Oldest first, empty buckets included. Buckets longer than an hour begin at full hours, those longer than a day at midnight UTC;
   * there may be fewer than asked for.
   *
   * @throws BatutaError FILTER_INVALID
   */
  histogram(filter?: RunFilter, options?: HistogramOptions): Promise<readonly HistogramBucket[]>;
  /** Over ended runs that were created since, default 30 days. By name; flows without runs have zeros. */
  flows(options?: { readonly sinceAt?: number }): Promise<readonly Figures[]>;
  /** @throws BatutaError FLOW_NOT_FOUND, naming the nearest. */
  flow(name: string, options?: { readonly sinceAt?: number }): Promise<FlowFigures>;
  /**
   * Tasks of a flow by the process that ended their task runs, sorted by task, then by how often. Default since 30 days ago.
   *
   * @throws BatutaError FLOW_NOT_FOUND, naming the nearest
   */
  taskWorkers(name: string, options?: { readonly sinceAt?: number }): Promise<readonly TaskWorkerView[]>;
  /**
   * A year of days by the creation of their runs, oldest first; days without ended runs are left out. Days stay when retention deletes
   * their runs. Of a deployment when both are given, of all runs when none is.
   */
  days(of: { readonly flow?: string; readonly deployment?: string }): Promise<readonly DayFigures[]>;
  /** By name; those that hold runs or are served by a worker. */
  queues(): Promise<readonly QueueView[]>;
  /** By name. */
  workers(): Promise<readonly WorkerView[]>;
  /** Those who report from elsewhere; by name, the newest first. */
  reporters(): Promise<readonly Reporter[]>;
  /** Values of tags, flows and deployments that filters may take, 200 at most of each. */
  facets(): Promise<{ readonly flows: readonly string[]; readonly deployments: readonly string[]; readonly tags: readonly string[] }>;
}

/** Which runs a bulk change is about: those of the ids, or those that fit the filter now (not both, not neither). */
export interface BulkWish {
  readonly ids?: readonly string[];
  /** Its `limit` and `cursor` are left aside; an empty one means all runs. */
  readonly filter?: RunFilter;
  /** Counts what would be changed, and changes nothing. */
  readonly dryRun?: boolean;
}

/** What a bulk change did. */
export interface BulkReport {
  readonly matched: number;
  /** With `dryRun`, those whose state allows it. */
  readonly changed: number;
  /** Those whose state does not allow it, 100 at most, with why. */
  readonly refused: readonly { readonly id: string; readonly message: string }[];
}
