/** Contract of deleting ended runs. */

export interface PruneReport {
  readonly runs: number;
  /** Locators of results that are no longer referenced; the caller removes those outside the database. */
  readonly resultRefs: readonly string[];
}

/** What one transaction of a deletion removed. */
export interface RemovedRuns {
  readonly runIds: readonly string[];
  /** See `PruneReport`. */
  readonly resultRefs: readonly string[];
}

export interface PruneOptions {
  /** Runs per transaction, not counting sub-flows; default 500. */
  readonly batch?: number;
  readonly signal?: AbortSignal;
  /** Called and awaited after each transaction: a process killed in between leaves the files of at most one. */
  readonly onBatch?: (removed: RemovedRuns) => Promise<void>;
}
