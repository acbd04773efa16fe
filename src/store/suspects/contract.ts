/**
 * Contract of how a lost process is charged to what it had under way.
 *
 * A process may be lost because of one run among those it executed, and nobody knows which. Only a loss that a run suffered alone counts
 * against it; after a loss in company it is a suspect, and after the second it is on trial: no worker claims it beside others, but
 * in a process of its own. Where it was seen which run it was, that one is charged and no other.
 */

/** What was seen of a process that is lost, or is about to be. */
export interface Sighting {
  /** Id of the process as an owner. */
  readonly owner: string;
  /** The run, or the spread task run, that it was; null when that was not seen. */
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
   * One statement: a process executes this run or spread task run alone, and whoever started it will say what ended it. Until then, or until
   * ten seconds after its lease, it is not taken back.
   */
  expect(owner: string, id: string): Promise<void>;
  /** One statement: keeps what was seen of a process until it is found lost. What was noted first stays. */
  note(sighting: Sighting): Promise<void>;
  /** One statement: the process has recovered. */
  takeBack(owner: string): Promise<void>;
  /**
   * One transaction: a process that was found lost lives; it was frozen, or its database was away. What it had is suspect no longer because
   * of that, unless it was seen to be the cause.
   */
  acquit(owner: string): Promise<void>;
  /** One statement: the run or spread task run of that id when it is on trial and waits for a process, else null. */
  waiting(id: string): Promise<Suspect | null>;
  /** One transaction: it has ended, or has been executed alone for long enough without harm, and is one like all others. */
  clear(id: string): Promise<void>;
}
