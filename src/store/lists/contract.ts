/** Contract of lists: runs and what belongs to them, by filters and pages. All times are UTC epoch ms. */
import type { ResourceUse } from '../../model/resource-use.ts';
import type { Artifact, ListedRun, LogLine, TaskRun, Transition } from '../../model/run.ts';

/** Page of a list, newest first. `next` is the cursor of the following page, null at the end. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/**
 * All that is named must fit. Flow, deployment, states, backfill, schedule and parent are served by indexes, in any combination; so is a tag
 * alone. What is asked beside a tag, and a queue or a search, is looked for in the newest 10,000 runs that fit the rest (2,000 of a tag): a
 * page may then hold fewer than `limit`, even none, and still have a `next`, from where the search goes on.
 */
export interface RunFilter {
  readonly flow?: string;
  readonly deployment?: string;
  /** State types or names, any case; a run fits when one of them does. */
  readonly states?: readonly string[];
  readonly tag?: string;
  /** Created at or after, epoch ms. */
  readonly since?: number;
  /** Created before, epoch ms. */
  readonly until?: number;
  readonly queue?: string;
  /** Runs that a backfill made. Ids here may be beginnings or ends. */
  readonly backfillId?: string;
  /** Runs that stand for ticks of a schedule. */
  readonly scheduleId?: string;
  /**
   * Part of the name (any case of a to z), or the beginning or end of the id, 4 characters or more. Ends, and beginnings of eight and more
   * characters, are looked up by indexes.
   */
  readonly search?: string;
  readonly parentRunId?: string | null;
  /** Runs that are pinned to this version of their flow, or (`any`) to whichever. */
  readonly pinned?: string;
  /** 1 to 1000, default 50. */
  readonly limit?: number;
  readonly cursor?: string;
}

/** A page of the task runs of a run. */
export interface TaskRunFilter {
  readonly name?: string;
  /** State types or names, any case; a task run fits when one of them does. */
  readonly states?: readonly string[];
  /** 1 to 1000, default 200. */
  readonly limit?: number;
  readonly cursor?: string;
  /** Whether they come with their results; default true. Those of a page may be 256 KiB each. */
  readonly values?: boolean;
}

/** The task runs of one run, read again and again. */
export interface FollowedTaskRuns {
  /**
   * All of the run, in the order they were first recorded; null when neither state, attempt nor progress of any has changed since the
   * last read. Costs as much as has changed. Where very many go on at the same time, their progress may be seen some reads later.
   *
   * @param isLast whether the run has ended, so that nothing may be left to a later read; default false
   */
  read(isLast?: boolean): Promise<readonly TaskRun[] | null>;
}

export interface TaskRunStore {
  /** All of a run, in the order they were first recorded. */
  ofRun(runId: string): Promise<readonly TaskRun[]>;
  /** All of a run by their keys, read some at a turn of the event loop; in no order. */
  byKeyOfRun(runId: string): Promise<Map<string, TaskRun>>;
  /** Follows those of a run; see `FollowedTaskRuns`. */
  follow(runId: string): FollowedTaskRuns;
  /** A page of a run, in the order they were first recorded. @throws BatutaError FILTER_INVALID */
  page(runId: string, filter?: TaskRunFilter): Promise<Page<TaskRun>>;
  /** Those of a run with these keys, in no order. */
  byKeys(runId: string, keys: readonly string[]): Promise<readonly TaskRun[]>;
  /** Without their results: those of a run with an id that is, begins or ends so (100 at most), or with one of these keys. */
  shown(runId: string, wanted: { readonly idPart: string } | { readonly keys: readonly string[] }): Promise<readonly TaskRun[]>;
  /** Counts by name and state name; cheap for very large runs. */
  countsOfRun(runId: string): Promise<readonly { readonly name: string; readonly state: string; readonly count: number }[]>;
  /** Those of a run, by task, in the order in which tasks were first recorded; as large as the run has tasks, however many items these have. */
  groupsOfRun(runId: string): Promise<readonly TaskGroup[]>;
  /** Which tasks were given results of which, by their names; read some at a turn of the event loop. */
  givenByName(runId: string): Promise<readonly { readonly from: string; readonly to: string }[]>;
}

/** All task runs of one task in a run. */
export interface TaskGroup {
  readonly name: string;
  readonly total: number;
  /** How many are in which state, by the name of the state. */
  readonly counts: Readonly<Record<string, number>>;
  /** When the first began, UTC epoch ms. */
  readonly startedAt: number | null;
  /** When the last that has ended did, UTC epoch ms. */
  readonly endedAt: number | null;
  /** Most attempts that one of them took. */
  readonly attempts: number;
  /** Sum of their CPU time, ms; null where nothing is known of it. */
  readonly cpuMs: number | null;
  /** Most memory of one of them, bytes; null where nothing is known of it. */
  readonly peakBytes: number | null;
  /** Where there is but one. */
  readonly single: Pick<TaskRun, 'id' | 'displayName' | 'childRunId' | 'progress'> | null;
}

/** A stored log line with its place. */
export interface StoredLogLine extends LogLine {
  /** Grows with time inside a store; a cursor for following. */
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

/** As many lines as 2 MiB hold, at least one; `hasMore` tells whether there may be more of those asked for. */
export interface LogPage {
  /** Oldest first. */
  readonly lines: readonly StoredLogLine[];
  readonly hasMore: boolean;
}

/** A line longer than 256 Ki characters, which none is that was kept by this version, is cut where it is read, and says how much. */
export interface LogStore {
  /** Oldest first, all that are asked for. */
  ofRun(runId: string, filter?: LogFilter): Promise<readonly StoredLogLine[]>;
  /** As `ofRun`, and no more than a page. */
  page(runId: string, filter?: LogFilter): Promise<LogPage>;
}

export interface ArtifactFilter {
  readonly kind?: Artifact['kind'];
  /** Versions of this key alone. Served by an index, with whatever else is asked. */
  readonly key?: string;
  /** Part of the name, any case of a to z; looked for in 10,000 artifacts a page, as in `RunFilter`. */
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
  /** Null when its JSON is longer than 2,000 characters; the artifacts of its run hold it. */
  readonly data: unknown;
}

/** A page of the history of a run. */
export interface TransitionFilter {
  /** Those of one task run; null: those of the run alone. */
  readonly taskRunId?: string | null;
  /** 1 to 1000, default 1000. */
  readonly limit?: number;
  readonly cursor?: string;
}

/** The versions of one key, across runs. */
export interface ArtifactKey {
  readonly key: string;
  /** How many there are. */
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
  /** A page of these, 200 unless told. @throws BatutaError FILTER_INVALID */
  pageOfRun(runId: string, filter?: ArtifactPageFilter): Promise<Page<ResourceUse>>;
}

export interface ArtifactStore {
  ofRun(runId: string): Promise<readonly Artifact[]>;
  /**
   * Of a run, oldest first, as many as 4 MiB of data hold; at least one. Data over 8 MiB is left out: `{ cut: { bytes } }` stands in its
   * place. @throws BatutaError FILTER_INVALID
   */
  pageOfRun(runId: string, filter?: ArtifactPageFilter & Pick<ArtifactFilter, 'kind'>): Promise<Page<Artifact>>;
  /** Across runs, newest first. @throws BatutaError FILTER_INVALID */
  list(filter?: ArtifactFilter): Promise<Page<ListedArtifact>>;
  /** Keys in their order, each with its newest version. @throws BatutaError FILTER_INVALID */
  keys(filter?: ArtifactKeyFilter): Promise<Page<ArtifactKey>>;
  /** One with all its data, by its id or the last 8 characters of it and more; null when there is none, or more than one ends so. */
  get(id: string): Promise<(Artifact & Pick<ListedArtifact, 'flow' | 'runName'>) | null>;
  /** Whether there is one with this id. */
  has(id: string): Promise<boolean>;
}

/** What of a task run is exported. */
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
 * Rows of many runs in bounded reads: each is a statement of its own that ends before the next begins, so that nobody is held up. Rows of a run
 * come together, in the order of the runs that are asked for; within a run by number, task runs by key.
 */
export interface ExportStore {
  /** As `RunStore.list`; parameters and results are left out. @throws BatutaError FILTER_INVALID */
  runs(filter?: RunFilter): Promise<Page<ListedRun>>;
  /** When the oldest run was created, also of one that only the figures still know; null where there are none. */
  oldest(): Promise<number | null>;
  taskRuns(runIds: readonly string[]): AsyncIterable<readonly ExportedTaskRun[]>;
  transitions(runIds: readonly string[]): AsyncIterable<readonly Numbered<Transition>[]>;
  /** @param minLevel lowest level, pino's numbers; default all */
  logs(runIds: readonly string[], minLevel?: number): AsyncIterable<readonly Numbered<LogLine>[]>;
}
