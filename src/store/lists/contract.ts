/** Contract of lists: runs and what belongs to them, by filters and pages. All times are UTC epoch ms. */
import type { ResourceUse } from '../../model/resource-use.ts';
import type { Artifact, ListedRun, LogLine, TaskRun, Transition } from '../../model/run.ts';

/** Page of a list, newest first. `next` is the cursor of the following page, null at the end. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/**
 * All conditions must hold. Flow, deployment, states, backfill, schedule and parent are served by indexes, in any combination; so is a tag
 * alone. Conditions besides a tag, and a queue or a search, are applied to the newest 10,000 runs that fit the rest (2,000 of a tag): a
 * page may then hold fewer than `limit`, even none, and still have a `next`, from where the search continues.
 */
export interface RunFilter {
  readonly flow?: string;
  readonly deployment?: string;
  /** State types or names, any case; a run fits if one of them does. */
  readonly states?: readonly string[];
  readonly tag?: string;
  /** Created at or after, epoch ms. */
  readonly since?: number;
  /** Created before, epoch ms. */
  readonly until?: number;
  readonly queue?: string;
  /** Runs that a backfill made. Ids here may be cut to beginnings or ends. */
  readonly backfillId?: string;
  /** Runs that stand for ticks of a schedule. */
  readonly scheduleId?: string;
  /**
   * Part of the name (any case of a to z), or the beginning or end of the id, at least 4 characters. Ends, and beginnings of at least 8
   * characters, are looked up by indexes.
   */
  readonly search?: string;
  readonly parentRunId?: string | null;
  /** Runs pinned to this version of their flow, or (`any`) to any. */
  readonly pinned?: string;
  /** 1 to 1000, default 50. */
  readonly limit?: number;
  readonly cursor?: string;
}

/** A page of the task runs of a run. */
export interface TaskRunFilter {
  readonly name?: string;
  /** State types or names, any case; a task run fits if one of them does. */
  readonly states?: readonly string[];
  /** 1 to 1000, default 200. */
  readonly limit?: number;
  readonly cursor?: string;
  /** Whether they include their results; default true. Each may be 256 KiB. */
  readonly values?: boolean;
}

/** The task runs of one run, read repeatedly. */
export interface FollowedTaskRuns {
  /**
   * All of the run, in the order they were first recorded; null if neither state, attempt nor progress of any has changed since the last
   * read. Costs as much as has changed. If very many are running at once, their progress may be seen some reads later.
   *
   * @param isLast whether the run has ended, so that nothing may be left to a later read; default false
   */
  read(isLast?: boolean): Promise<readonly TaskRun[] | null>;
}

export interface TaskRunStore {
  /** All of a run, in the order they were first recorded. */
  ofRun(runId: string): Promise<readonly TaskRun[]>;
  /** All of a run by their keys, read some per turn of the event loop; in no order. */
  byKeyOfRun(runId: string): Promise<Map<string, TaskRun>>;
  /** Follows the task runs of a run; see `FollowedTaskRuns`. */
  follow(runId: string): FollowedTaskRuns;
  /** A page of a run, in the order they were first recorded. @throws BatutaError FILTER_INVALID */
  page(runId: string, filter?: TaskRunFilter): Promise<Page<TaskRun>>;
  /** Task runs of a run with these keys, in no order. */
  byKeys(runId: string, keys: readonly string[]): Promise<readonly TaskRun[]>;
  /** Without results: task runs whose id is, begins or ends like this (at most 100), or with one of these keys. */
  shown(runId: string, wanted: { readonly idPart: string } | { readonly keys: readonly string[] }): Promise<readonly TaskRun[]>;
  /** Counts by name and state name; cheap for very large runs. */
  countsOfRun(runId: string): Promise<readonly { readonly name: string; readonly state: string; readonly count: number }[]>;
  /** Those of a run, by task, in the order in which tasks were first recorded; grows with the tasks, not with their items. */
  groupsOfRun(runId: string): Promise<readonly TaskGroup[]>;
  /** Which tasks were given results of which, by name; read some per turn of the event loop. */
  givenByName(runId: string): Promise<readonly { readonly from: string; readonly to: string }[]>;
}

/** All task runs of one task in a run. */
export interface TaskGroup {
  readonly name: string;
  readonly total: number;
  /** Number of task runs by state name. */
  readonly counts: Readonly<Record<string, number>>;
  /** When the first began, UTC epoch ms. */
  readonly startedAt: number | null;
  /** When the last of the ended ones ended, UTC epoch ms. */
  readonly endedAt: number | null;
  /** Most attempts that one of them took. */
  readonly attempts: number;
  /** Sum of their CPU time, ms; null if unknown. */
  readonly cpuMs: number | null;
  /** Most memory of one of them, bytes; null if unknown. */
  readonly peakBytes: number | null;
  /** Set if there is only one. */
  readonly single: Pick<TaskRun, 'id' | 'displayName' | 'childRunId' | 'progress'> | null;
}

/** A stored log line with its place. */
export interface StoredLogLine extends LogLine {
  /** Grows with time within a store; a cursor for following. */
  readonly seq: number;
}

export interface LogFilter {
  readonly taskRunId?: string;
  /** Lowest level, pino's numbers. */
  readonly minLevel?: number;
  /** Lines after this `seq`. */
  readonly after?: number;
  /** Lines before this `seq`; with `tail`, those just before it. */
  readonly before?: number;
  /** Part of the message, any case of a to z. */
  readonly search?: string;
  /** The last so many instead of the first. */
  readonly tail?: number;
  /** 1 to 10,000, default 1,000. */
  readonly limit?: number;
}

/** As many lines as fit into 2 MiB, at least one; `hasMore` tells whether there may be more of those requested. */
export interface LogPage {
  /** Oldest first. */
  readonly lines: readonly StoredLogLine[];
  readonly hasMore: boolean;
}

/** A line longer than 256 Ki characters, which only older versions kept, is cut when it is read, and says by how much. */
export interface LogStore {
  /** Oldest first, all that are requested. */
  ofRun(runId: string, filter?: LogFilter): Promise<readonly StoredLogLine[]>;
  /** As `ofRun`, but at most a page. */
  page(runId: string, filter?: LogFilter): Promise<LogPage>;
}

export interface ArtifactFilter {
  readonly kind?: Artifact['kind'];
  /** Only versions of this key. Served by an index, whatever else is requested. */
  readonly key?: string;
  /** Part of the name, any case of a to z; searched in 10,000 artifacts per page, as in `RunFilter`. */
  readonly search?: string;
  /** 1 to 1000, default 50. */
  readonly limit?: number;
  readonly cursor?: string;
}

/** An artifact in a list across runs. */
export interface ListedArtifact extends Omit<Artifact, 'data'> {
  readonly flow: string;
  readonly runName: string;
  /** Length of the data as JSON, characters. */
  readonly chars: number;
  /** Null if its JSON is longer than 2,000 characters; the artifacts of its run hold it. */
  readonly data: unknown;
}

/** An artifact with all its data. */
export interface FoundArtifact extends Artifact, Pick<ListedArtifact, 'flow' | 'runName'> {
  /** Id of the version of its key before it; null if it is the first, or has no key. */
  readonly previous: string | null;
}

/** A page of the history of a run. */
export interface TransitionFilter {
  /** Of one task run; null: of the run itself. */
  readonly taskRunId?: string | null;
  /** 1 to 1000, default 1000. */
  readonly limit?: number;
  readonly cursor?: string;
}

/** The versions of one key, across runs. */
export interface ArtifactKey {
  readonly key: string;
  readonly versions: number;
  readonly newest: ListedArtifact;
}

export interface ArtifactKeyFilter {
  /** Part of the key, any case of a to z. */
  readonly search?: string;
  /** 1 to 200, default 50. */
  readonly limit?: number;
  readonly cursor?: string;
}

/** A page of the artifacts of a run. */
export interface ArtifactPageFilter {
  /** 1 to 1000, default 200. */
  readonly limit?: number;
  readonly cursor?: string;
}

export interface ResourceUseStore {
  /** All of a run and its tasks, in the order in which opening began. */
  ofRun(runId: string): Promise<readonly ResourceUse[]>;
  /** A page of these, by default 200. @throws BatutaError FILTER_INVALID */
  pageOfRun(runId: string, filter?: ArtifactPageFilter): Promise<Page<ResourceUse>>;
}

export interface ArtifactStore {
  ofRun(runId: string): Promise<readonly Artifact[]>;
  /**
   * Of a run, oldest first, as many as 4 MiB of data hold; at least one. Data over 8 MiB is replaced by `{ cut: { bytes } }`. @throws
   * BatutaError FILTER_INVALID
   */
  pageOfRun(runId: string, filter?: ArtifactPageFilter & Pick<ArtifactFilter, 'kind'>): Promise<Page<Artifact>>;
  /** Across runs, newest first. @throws BatutaError FILTER_INVALID */
  list(filter?: ArtifactFilter): Promise<Page<ListedArtifact>>;
  /** Keys in order, each with its newest version. @throws BatutaError FILTER_INVALID */
  keys(filter?: ArtifactKeyFilter): Promise<Page<ArtifactKey>>;
  /** One with all its data, by its id or at least its last 8 characters; null if there is none, or more than one ends like this. */
  get(id: string): Promise<FoundArtifact | null>;
  has(id: string): Promise<boolean>;
}

/** What is exported of a task run. */
export type ExportedTaskRun = Pick<
  TaskRun,
  | 'id'
  | 'runId'
  | 'key'
  | 'name'
  | 'index'
  | 'state'
  | 'attempt'
  | 'startedAt'
  | 'endedAt'
  | 'displayName'
  | 'childRunId'
  | 'metrics'
  | 'error'
> &
  Partial<Pick<TaskRun, 'cpuMs' | 'peakBytes'>>;

/** A row with its number, which grows within a run. */
export type Numbered<Row> = Row & { readonly seq: number };

/**
 * Rows of many runs in bounded reads: each is a separate statement that ends before the next begins, so that nobody is held up. Rows of a
 * run come together, in the order of the requested runs; within a run by number, task runs by key.
 */
export interface ExportStore {
  /** As `RunStore.list`; parameters and results are left out. @throws BatutaError FILTER_INVALID */
  runs(filter?: RunFilter): Promise<Page<ListedRun>>;
  /** When the oldest run was created, including those only the figures still know; null if there are none. */
  oldest(): Promise<number | null>;
  taskRuns(runIds: readonly string[]): AsyncIterable<readonly ExportedTaskRun[]>;
  transitions(runIds: readonly string[]): AsyncIterable<readonly Numbered<Transition>[]>;
  /** @param minLevel lowest level, pino's numbers; default all */
  logs(runIds: readonly string[], minLevel?: number): AsyncIterable<readonly Numbered<LogLine>[]>;
}
