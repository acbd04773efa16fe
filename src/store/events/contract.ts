/** Contract of the sources of live events. Times are UTC epoch ms. */
import type { State } from '../../model/state.ts';
import type { StoredLogLine } from '../lists/contract.ts';

/** One change of state of a run. */
export interface RunEvent {
  /** Grows with time within a store; where a stream continues. */
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
  /** Grows with time within a run. */
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
   * With several concurrent writers, a lower number may become visible after a higher one (PostgreSQL): the oldest running writer and the
   * next one to come. Null if that cannot be (SQLite), and if there are no rows.
   */
  readonly writers: { readonly oldest: number; readonly next: number } | null;
  /** Whether there may be more above them. */
  readonly hasMore: boolean;
}

export interface EventStore {
  /** Changes of runs with a number above `after`, at most `limit`; without runs deleted meanwhile. */
  runs(after: number, limit: number): Promise<NumberedRows<RunEvent>>;
  /** Changes of the task runs of one run. */
  tasks(runId: string, after: number, limit: number): Promise<NumberedRows<TaskEvent>>;
  /** Log lines of one run, as many as fit into 512 KiB; at least one. A longer line is cut, and says so. */
  logs(runId: string, after: number, limit: number): Promise<NumberedRows<StoredLogLine>>;
  /** The highest current number of a change of a run; 0 for none. */
  place(): Promise<number>;
  /** The highest numbers of what belongs to one run. */
  placesOf(runId: string): Promise<{ readonly task: number; readonly log: number }>;
}
