/** Connections of a process to a database. */
export interface PoolUse {
  /** Busy now. */
  readonly active: number;
  /** Open, and idle. */
  readonly idle: number;
  /** Callers that wait for one. */
  readonly waiting: number;
  readonly most: number;
}
