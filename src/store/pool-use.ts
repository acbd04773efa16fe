/** Connections of a process to a database. */
export interface PoolUse {
  /** Asked something now. */
  readonly active: number;
  /** Open, and asked nothing. */
  readonly idle: number;
  /** Callers that wait for one. */
  readonly waiting: number;
  readonly most: number;
}
