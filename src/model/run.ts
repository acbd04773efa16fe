/** Rows of runs and task runs, as the store keeps them and everything above reads them. Times are UTC epoch ms. */
import type { ArtifactKind } from './artifact.ts';
import type { RecordedUsage } from './task-usage.ts';
import type { CachedFrom } from './cache.ts';
import type { Failure } from './failure.ts';
import type { State, StateName, StateType } from './state.ts';

/** Longest name of a flow, task, run or worker, and longest tag, in characters. */
export const maxNameChars = 200;

/** A process that may own runs. Written into the lease, so that others can tell whether it still lives. */
export interface Owner {
  /** Unique per process start, e.g. `laptop:4711:1763820000000`. */
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  /** When the process started, as the operating system counts it; tells a reused pid apart. */
  readonly processStartedAt: number;
  /** Who reported the run, when it runs elsewhere; see `model/report.ts`. */
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
  /** Run that started it as a sub-flow, and the task run in it that stands for it. */
  readonly parentRunId: string | null;
  readonly parentTaskRunId: string | null;
  readonly state: State;
  /** Validated parameters, superjson text. */
  readonly params: string;
  /** superjson text, or null when there is none, not yet, or it is `resultRef`. */
  readonly result: string | null;
  /** Where the value lies that is too large to stand in the row, see `model/result-ref.ts`. */
  readonly resultRef: string | null;
  readonly error: Failure | null;
  /** From 1; raised by flow retries and by explicit retries. */
  readonly attempt: number;
  /** How many owners were lost while they ran it. */
  readonly recoveries: number;
  readonly tags: readonly string[];
  /** Where the class can be loaded from: `file#exportName`, else null. */
  readonly source: string | null;
  /** The tick it stands for; for a run that was handed in to start later, that instant. */
  readonly scheduledFor: number | null;
  /** Schedule or backfill whose tick it stands for; null for most. */
  readonly scheduleId: string | null;
  readonly backfillId: string | null;
  /** Limit on runs it is under, e.g. `deployment:sync:acme`; null for most. */
  readonly concurrencyKey: string | null;
  /** By which it takes turns with others, e.g. the customer it is for; absent or null for most. */
  readonly fairKey?: string | null;
  /** How many of a worker's places it takes; absent or null: one. */
  readonly slots?: number | null;
  /** When it should go on by itself (AwaitingRetry, Scheduled), else null. */
  readonly dueAt: number | null;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** How long it was executed before it last waited: for its next attempt, a signal, a retry by hand; null when it never did. See `model/run-times.ts`. */
  readonly executedMs: number | null;
  /** Since when it has been going on after that, or has waited; null when it never waited. */
  readonly resumedAt: number | null;
  /** Items of its mapped tasks by name, once their lists are known; null when it has none. */
  readonly mapped: Readonly<Record<string, number>> | null;
  readonly cancelRequestedAt: number | null;
  /** Queue whose workers execute it, `default` for most. */
  readonly queue: string;
  /** -100 to 100; of the runs that wait in a queue, higher ones go first. */
  readonly priority: number;
  /** Raised by each claim; a write that carries an older one is refused. */
  readonly epoch: number;
  readonly owner: Owner | null;
  readonly leaseUntil: number | null;
}

/** A run as it stands in lists: without the values of the user. */
export type ListedRun = Omit<Run, 'params' | 'result' | 'resultRef'>;

/** What the owner of a run may change of it. */
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

/** One argument of a call, as it is shown. */
export type CallArg =
  /** The result of the task run of that key. */
  | { readonly result: string }
  /** JSON; `types` says what of it is a Date, a Map or the like. `cut` when it is not the whole. */
  | { readonly json: unknown; readonly types?: unknown; readonly cut?: true }
  /** What is no plain data, in words. */
  | { readonly text: string };

/** One task run: one execution history of one task (or one item of a mapped task) in one run. */
export interface TaskRun extends RecordedUsage {
  readonly id: string;
  readonly runId: string;
  /** Name of the task; for a sub-flow `flow:<name>`. */
  readonly name: string;
  /**
   * Identity inside the run, unique in it. Static graph: task name, `[index]` appended for items. Code flow: task
   * name, hash of the inputs, and how often that pair has occurred.
   */
  readonly key: string;
  /** Name for people when the task has a `runName`, else null. */
  readonly displayName: string | null;
  /** Position of the item for a mapped task, from 0; else null. */
  readonly index: number | null;
  readonly state: State;
  /** How many executions were started, from 1; 0 when none was (skipped, upstream failed). */
  readonly attempt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** When the next attempt is due (AwaitingRetry), else null. */
  readonly dueAt: number | null;
  /** Failed attempts that count against its retries: those since it was last opened. Absent or null: none. */
  readonly failures?: number | null;
  /** Keys of the task runs whose results it was given; filled in code flows, where no graph tells. Null when none. */
  readonly dependsOn: readonly string[] | null;
  readonly progress: { readonly done: number; readonly total: number | null } | null;
  /** Sums and gauges the task reported, by name. */
  readonly metrics: Readonly<Record<string, number>> | null;
  readonly result: string | null;
  readonly resultRef: string | null;
  /** Size of a result over 256 KiB, over HTTP; in the store `resultRef` has it. */
  readonly resultBytes?: number | null;
  readonly error: Failure | null;
  /** Run of the sub-flow this task run stands for, else null. */
  readonly childRunId: string | null;
  /** What tells the item of a mapped task from others; null for other tasks, and in rows of before. */
  readonly itemHash: string | null;
  /** Arguments of the call in a code flow, for people: cut, secrets masked. Null for other tasks, and in rows of before. */
  readonly callArgs: readonly CallArg[] | null;
  /** Where its value comes from when it is Cached, else absent or null. */
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

/** One line of log. */
export interface LogLine {
  readonly runId: string;
  readonly taskRunId: string | null;
  readonly at: number;
  /** pino's numbers: 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal. */
  readonly level: number;
  readonly message: string;
  /** Further fields of the line; null when none. */
  readonly fields: Readonly<Record<string, unknown>> | null;
}

/** Something a task wants to show: a table, Markdown, a link, an image, a file, a chart, how far it is, rejected records. */
export interface Artifact {
  readonly id: string;
  readonly runId: string;
  readonly taskRunId: string | null;
  /**
   * `markdown` text · `table` list of objects · `link` URL · `json` anything · `image` and `file` an `ArtifactFile`, their bytes elsewhere · `chart` a
   * `ChartData` · `progress` an `ArtifactProgress`, which is written again as it goes on · `rejects` list of `{record, reason}`.
   */
  readonly kind: ArtifactKind;
  readonly name: string;
  readonly data: unknown;
  readonly createdAt: number;
  /** Under which its versions are found across runs; absent or null without one. */
  readonly key?: string | null;
  /** Of an image or file: where its bytes lie, as `ResultRef` has it. */
  readonly ref?: string | null;
  /** Size of the content (JSON, or the bytes of a file) and its SHA-256, 64 hexadecimal digits; of images, files and what has a key. */
  readonly bytes?: number | null;
  readonly sha256?: string | null;
}
