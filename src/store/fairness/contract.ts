/**
 * Contract of turns: within a queue and a priority, the keys of runs take turns, however many runs of each wait.
 *
 * A run with a key is not claimed by its own ticket while it waits for its turn. Each of those tickets is the right to begin one run:
 * `pick` says which, that of the key that has had least. A key has a pass, which grows by 1 / weight with each of its runs; the lowest is
 * next. A key with nothing waiting has no pass, and starts again where the others are. All times are UTC epoch ms.
 */

/** Runs that take turns with each other. */
export interface FairLine {
  readonly queue: string;
  readonly priority: number;
}

/** What a ticket was found to be: a right to a turn. */
export interface FairTicket extends FairLine {
  /** Of its run. */
  readonly id: string;
  /** Whether its run is Crashed, so that its hooks may be owed. */
  readonly isCrashed: boolean;
}

/** A run whose turn has come: from now on a ticket claims it like any other. */
export interface FairTurn {
  readonly id: string;
  readonly epoch: number;
  readonly flow: string;
  readonly key: string;
}

export interface PickOptions {
  /** How many may begin. */
  readonly count: number;
  /** Runs whose tickets have arrived; waiting ones are in line, whatever has become of the row of their key. */
  readonly tickets: readonly string[];
  /** Share of the turns that a key gets; 1 is normal, 0.001 to 1,000. */
  weightOf(flow: string, key: string): number;
}

/** Position of a run that waits for its turn. */
export interface FairPlace {
  readonly key: string;
  /** Due runs of its key that go first; counted up to 10,000. */
  readonly ahead: number;
  /** Waiting keys of its queue and priority, including its own; counted up to 10,000. */
  readonly keys: number;
}

export interface FairnessStore {
  /**
   * One transaction per line: returns the runs whose turn it is, at most `count`, in order; they no longer wait for their turn, and their
   * epoch is raised, so that their ticket differs from the one that arrived. Counts them as ticketed. Fewer if fewer wait and are due.
   */
  pick(line: FairLine, options: PickOptions): Promise<readonly FairTurn[]>;
  /** Position of a run; null if it does not wait for its turn. At most three statements. */
  place(runId: string): Promise<FairPlace | null>;
}
