/** Rows of runs and task runs, as stored and as read by everything above. Times are UTC epoch ms. */
import type { ArtifactKind } from './artifact.ts';
import type { RecordedUsage } from './task-usage.ts';
import type { CachedFrom } from './cache.ts';
import type { Failure } from './failure.ts';
import type { State, StateName, StateType } from './state.ts';

/** Longest name of a flow, task, run or worker, and longest tag, in characters. */
export const maxNameChars = 200;

/** A process that may own runs. Written into the lease, so that others can tell whether it is alive. */
export interface Owner {
  /** Unique per process start, e.g. `laptop:4711:1763820000000`. */
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  /** When the process started, by the operating system; detects a reused pid. */
  readonly processStartedAt: number;
  /** Who reported the run, if it runs elsewhere; see `model/report.ts`. */
  readonly reporter?: { readonly id: string; readonly name: string; readonly version: string };
}

/** One run of a flow. */
export interface Run {
  readonly id: string;
  readonly flow: string;
  readonly flowVersion: string;
  /** Name for people, e.g. `quick-otter`. */
  readonly name: string;
  readonly deployment: string | null;
  /** Run that started it as a sub-flow, and its task run there. */
  readonly parentRunId: string | null;
  readonly parentTaskRunId: string | null;
  readonly state: State;
  /** Validated parameters, superjson text. */
  readonly params: string;
  /** superjson text; null if there is none (yet), or it is `resultRef`. */
  readonly result: string | null;
  /** Where a value too large for the row is, see `model/result-ref.ts`. */
  readonly resultRef: string | null;
  readonly error: Failure | null;
  /** From 1; raised by flow retries and explicit retries. */
  readonly attempt: number;
  /** How many owners were lost while running it. */
  readonly recoveries: number;
  readonly tags: readonly string[];
  /** Where to load the class from: `file#exportName`, else null. */
  readonly source: string | null;
  /** The tick it stands for; for a run submitted to start later, that instant. */
  readonly scheduledFor: number | null;
  /** Schedule or backfill of its tick; null for most. */
  readonly scheduleId: string | null;
  readonly backfillId: string | null;
  /** Its limit on runs, e.g. `deployment:sync:acme`; null for most. */
  readonly concurrencyKey: string | null;
  /** Key for taking turns with others, e.g. its customer; absent or null for most. */
  readonly fairKey?: string | null;
  /** How many of a worker's places it takes; absent or null: one. */
  readonly slots?: number | null;
  /** When it is due to continue (AwaitingRetry, Scheduled), else null. */
  readonly dueAt: number | null;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /**
   * How long it was executed before it last waited: for its next attempt, a signal, a manual retry; null if it never did. See
   * `model/run-times.ts`.
   */
  readonly executedMs: number | null;
  /** When it then continued, or since when it waits; null if it never waited. */
  readonly resumedAt: number | null;
  /** Items of its mapped tasks by name, once their lists are known; null if none. */
  readonly mapped: Readonly<Record<string, number>> | null;
  readonly cancelRequestedAt: number | null;
  /** Queue whose workers execute it, `default` for most. */
  readonly queue: string;
  /** -100 to 100; runs with higher values leave a queue first. */
  readonly priority: number;
  /** Raised by each claim; writes with an older one are refused. */
  readonly epoch: number;
  readonly owner: Owner | null;
  readonly leaseUntil: number | null;
}

/** A run as listed: without user values. */
export type ListedRun = Omit<Run, 'params' | 'result' | 'resultRef'>;

/** What a run's owner may change. */
export type RunPatch = Partial<
  Pick<
    Run,
    | 'state'
    | 'name'
    | 'result'
    | 'resultRef'
    | 'error'
    | 'attempt'
    | 'dueAt'
    | 'startedAt'
    | 'endedAt'
    | 'flowVersion'
    | 'executedMs'
    | 'resumedAt'
    | 'mapped'
  >
>;

/** One argument of a call, as shown. */
export type CallArg =
  /** Result of the task run with that key. */
  | { readonly result: string }
  /** JSON; `types` marks a Date, a Map or similar. `cut` if incomplete. */
  | { readonly json: unknown; readonly types?: unknown; readonly cut?: true }
  /** Other data, in words. */
  | { readonly text: string };

/** One task run: one execution history of one task (or one item of a mapped task) in one run. */
export interface TaskRun extends RecordedUsage {
  readonly id: string;
  readonly runId: string;
  /** Name of the task; for a sub-flow `flow:<name>`. */
  readonly name: string;
  /**
   * Identity inside the run, unique in it. Static graph: task name, `[index]` appended for items. Code flow: task name, hash of the inputs,
   * and how often that pair occurred.
   */
  readonly key: string;
  /** Name for people if the task has a `runName`, else null. */
  readonly displayName: string | null;
  /** Position of the item in a mapped task, from 0; else null. */
  readonly index: number | null;
  readonly state: State;
  /** How many executions were started, from 1; 0 if none (skipped, upstream failed). */
  readonly attempt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** When the next attempt is due (AwaitingRetry), else null. */
  readonly dueAt: number | null;
  /** Failed attempts that count against its retries: those since it was last opened. Absent or null: none. */
  readonly failures?: number | null;
  /** Keys of the task runs whose results it received; filled in code flows, which have no graph. Null if none. */
  readonly dependsOn: readonly string[] | null;
  readonly progress: { readonly done: number; readonly total: number | null } | null;
  /** Sums and gauges the task reported, by name. */
  readonly metrics: Readonly<Record<string, number>> | null;
  readonly result: string | null;
  readonly resultRef: string | null;
  /** Size of a result over 256 KiB, over HTTP; the store has it in `resultRef`. */
  readonly resultBytes?: number | null;
  readonly error: Failure | null;
  /** Run of this task run's sub-flow, else null. */
  readonly childRunId: string | null;
  /** Identifies the item of a mapped task; null for other tasks, and in old rows. */
  readonly itemHash: string | null;
  /** Arguments of the call in a code flow, for people: cut, secrets masked. Null for other tasks, and in old rows. */
  readonly callArgs: readonly CallArg[] | null;
  /** Origin of its value if it is Cached, else absent or null. */
  readonly cachedFrom?: CachedFrom | null;
}

/** One change of state, of a run (`taskRunId` null) or a task run. Append-only. */
export interface Transition {
  readonly runId: string;
  readonly taskRunId: string | null;
  readonly at: number;
  readonly type: StateType;
  readonly name: StateName;
  readonly message: string | null;
  readonly attempt: number;
  /** Id of the owner that wrote it, else null. */
  readonly owner: string | null;
}

/** One log line. */
export interface LogLine {
  readonly runId: string;
  readonly taskRunId: string | null;
  readonly at: number;
  /** pino's numbers: 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal. */
  readonly level: number;
  readonly message: string;
  /** Further fields of the line; null if none. */
  readonly fields: Readonly<Record<string, unknown>> | null;
}

/** Something a task shows: a table, Markdown, a link, an image, a file, a chart, progress, rejected records. */
export interface Artifact {
  readonly id: string;
  readonly runId: string;
  readonly taskRunId: string | null;
  /**
   * `markdown` text · `table` list of objects · `link` URL · `json` anything · `image` and `file` an `ArtifactFile`, with bytes elsewhere ·
   * `chart` a `ChartData` · `progress` an `ArtifactProgress`, which is updated · `rejects` list of `{record, reason}`.
   */
  readonly kind: ArtifactKind;
  readonly name: string;
  readonly data: unknown;
  readonly createdAt: number;
  /** Identifies its versions across runs; absent or null without one. */
  readonly key?: string | null;
  /** Where the bytes of an image or file are, as a `ResultRef`. */
  readonly ref?: string | null;
  /** Size of the content (JSON, or a file's bytes) and its SHA-256, 64 hexadecimal digits; for images, files and with a key. */
  readonly bytes?: number | null;
  readonly sha256?: string | null;
}
