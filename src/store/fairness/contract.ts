/**
 * Contract of turns: within a queue and a priority, the keys of runs take turns, however many runs of each wait.
 *
 * A run with a key is not claimed by its own ticket while it waits for its turn. Each of those tickets is the right to begin one run: `pick` says
 * which, that of the key that has had least. A key has a pass, which grows by 1 / weight with each of its runs; the lowest is next. One that has
 * nothing waiting has no pass, and begins anew where the others are. All times are UTC epoch ms.
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

/** A run whose turn has come: a ticket claims it as it does others from now on. */
export interface FairTurn {
  readonly id: string;
  readonly epoch: number;
  readonly flow: string;
  readonly key: string;
}

export interface PickOptions {
  /** How many may begin. */
  readonly count: number;
  /** Runs whose tickets have come; those of them that wait are in line, whatever has become of the row of their key. */
  readonly tickets: readonly string[];
  /** How much of the turns a key gets; 1 is normal, 0.001 to 1,000. */
  weightOf(flow: string, key: string): number;
}

/** Where a run stands that waits for its turn. */
export interface FairPlace {
  readonly key: string;
  /** Runs of its key that are due and go first; counted up to 10,000. */
  readonly ahead: number;
  /** Keys of its queue and priority that wait, its own among them; counted up to 10,000. */
  readonly keys: number;
}

export interface FairnessStore {
  /**
   * One transaction per line: gives the runs whose turn it is, at most `count`, in order; they wait for their turn no longer, and their epoch is
   * raised, so that their ticket is another than the one that has come. Counts them as ticketed. Fewer where fewer wait and are due.
   */
  pick(line: FairLine, options: PickOptions): Promise<readonly FairTurn[]>;
  /** Where a run stands; null when it does not wait for its turn. Three statements at most. */
  place(runId: string): Promise<FairPlace | null>;
}
