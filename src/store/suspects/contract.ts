/**
 * Contract of how a lost process is blamed on what it was executing.
 *
 * A process may be lost because of one of the runs it executed, and nobody knows which. Only a loss that a run suffered alone counts
 * against it; after a loss in company it is a suspect, and after the second it is on trial: no worker claims it alongside others, but only
 * in a separate process. If the run that caused it was seen, only that one is blamed.
 */

/** What was seen of a process that is lost, or is about to be. */
export interface Sighting {
  /** Id of the process as an owner. */
  readonly owner: string;
  /** The run, or the spread task run, that caused it; null if that was not seen. */
  readonly culprit: string | null;
  /** A sentence, e.g. that it ran out of memory. */
  readonly seen: string;
}

/** A run or spread task run that waits to be executed alone. */
export interface Suspect {
  readonly id: string;
  readonly runId: string;
  readonly flow: string;
}

export interface SuspectStore {
  /**
   * One statement: a process executes this run or spread task run alone, and its starter will report what ended it. Until then, or until
   * ten seconds after its lease, it is not taken back.
   */
  expect(owner: string, id: string): Promise<void>;
  /** One statement: keeps what was seen of a process until it is found lost. What was recorded first stays. */
  note(sighting: Sighting): Promise<void>;
  /** One statement: the process has recovered. */
  takeBack(owner: string): Promise<void>;
  /**
   * One transaction: a process that was found lost is alive; it was frozen, or its database was away. What it held is no longer suspect
   * because of that, unless it was seen to be the cause.
   */
  acquit(owner: string): Promise<void>;
  /** One statement: the run or spread task run of that id if it is on trial and waits for a process, else null. */
  waiting(id: string): Promise<Suspect | null>;
  /** One transaction: it has ended, or has been executed alone long enough without harm, and is treated as any other. */
  clear(id: string): Promise<void>;
}
