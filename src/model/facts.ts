/** What user code may know of its run and task run. */

/** Facts about the run that user code may read. */
export interface RunFacts {
  readonly id: string;
  readonly name: string;
  readonly flow: string;
  readonly deployment: string | null;
  /** The instant this run stands for if a schedule or backfill made it, else null. */
  readonly scheduledFor: Date | null;
  /** Attempt of the run, from 1. */
  readonly attempt: number;
}

/** Facts about the task run that user code may read. */
export interface TaskFacts {
  readonly id: string;
  readonly name: string;
  /** Attempt of the task run, from 1. */
  readonly attempt: number;
  /** Position of the item in a mapped task, from 0; else null. */
  readonly index: number | null;
}
