/** Contract of deleting runs that have ended. */

export interface PruneReport {
  readonly runs: number;
  /** Locators of results that nothing points at any more; the caller removes what does not lie in the database. */
  readonly resultRefs: readonly string[];
}

/** What one transaction of a deletion has taken away. */
export interface RemovedRuns {
  readonly runIds: readonly string[];
  /** See `PruneReport`. */
  readonly resultRefs: readonly string[];
}

export interface PruneOptions {
  /** Runs of one transaction, sub-flows not counted; default 500. */
  readonly batch?: number;
  readonly signal?: AbortSignal;
  /** Called after each transaction and waited for: a process that is killed in the middle leaves the files of one of them at most. */
  readonly onBatch?: (removed: RemovedRuns) => Promise<void>;
}
