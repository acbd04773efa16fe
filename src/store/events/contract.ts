/** Contract of what live events are read from. Times are UTC epoch ms. */
import type { State } from '../../model/state.ts';
import type { StoredLogLine } from '../lists/contract.ts';

/** One change of state of a run. */
export interface RunEvent {
  /** Grows with time inside a store; where a stream goes on. */
  readonly seq: number;
  readonly id: string;
  readonly name: string;
  readonly flow: string;
  readonly deployment: string | null;
  readonly state: State;
  readonly attempt: number;
  readonly at: number;
}

/** One change of state of a task run. */
export interface TaskEvent {
  /** Grows with time inside a run. */
  readonly seq: number;
  readonly runId: string;
  /** Of the task run. */
  readonly id: string;
  readonly name: string;
  /** Position of the item for a mapped task, from 0; else null. */
  readonly index: number | null;
  readonly state: State;
  readonly attempt: number;
  readonly at: number;
}

/** Rows above a number, lowest first. */
export interface NumberedRows<Row> {
  readonly rows: readonly Row[];
  /**
   * Where several write at once, a lower number may become visible after a higher one (PostgreSQL): the oldest writer that was at work
   * and the next that was to come. Null where that cannot be (SQLite), and when there are no rows.
   */
  readonly writers: { readonly oldest: number; readonly next: number } | null;
  /** Whether there may be more above them. */
  readonly hasMore: boolean;
}

export interface EventStore {
  /** Changes of runs with a number above `after`, `limit` at most. Those of runs that were deleted meanwhile are left out. */
  runs(after: number, limit: number): Promise<NumberedRows<RunEvent>>;
  /** Changes of the task runs of one run. */
  tasks(runId: string, after: number, limit: number): Promise<NumberedRows<TaskEvent>>;
  /** Log lines of one run, as many as 512 KiB hold; at least one. A longer line is cut, and says so. */
  logs(runId: string, after: number, limit: number): Promise<NumberedRows<StoredLogLine>>;
  /** The highest number of a change of a run there is now; 0 for none. */
  place(): Promise<number>;
  /** The highest numbers of what belongs to one run. */
  placesOf(runId: string): Promise<{ readonly task: number; readonly log: number }>;
}
