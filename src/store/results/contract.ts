/** Contract of large results as the database knows them: which runs have them, where they lie, and the pieces of those that lie here. */

/** Large results that lie at one place. */
export interface ResultSum {
  /** See `ResultRef`. */
  readonly place: string;
  readonly count: number;
  /** Of those whose size is known. */
  readonly bytes: number;
}

/** A large result, each once, also where several runs name it. */
export interface ListedResult {
  readonly locator: string;
  /** Null in rows of before, like `sha256`. */
  readonly bytes: number | null;
  readonly sha256: string | null;
}

export interface ResultStore {
  /** One statement: a piece of a value, kept or replaced; `part` counts from 0. Nothing is kept for a run that is not there. */
  writePart(key: string, part: number, bytes: Uint8Array): Promise<void>;
  /** One statement: removes the pieces from `part` on. */
  removeParts(key: string, part: number): Promise<void>;
  /** Null when there is no such piece. */
  readPart(key: string, part: number): Promise<Uint8Array | null>;
  /** Bytes of all pieces; null when there are none. */
  size(key: string): Promise<number | null>;
  /** By place. */
  sums(): Promise<readonly ResultSum[]>;
  /** Those that do not lie at `place` and are of runs that have ended, as have their parents; by locator, after the one named. */
  movable(place: string, after: string, limit: number): Promise<readonly ListedResult[]>;
  /**
   * One transaction: all that names these results names them elsewhere from now on, and what they leave is noted as to be cleared. Left as they
   * are: those that nothing names any more, and those of runs that go on again. Gives the locators of the others, as they were.
   *
   * @param moves a locator and the reference that takes its place
   */
  move(moves: readonly { readonly from: string; readonly to: string }[]): Promise<readonly string[]>;
  /** Locators that were left and are still to be cleared, 1,000 at most. */
  leftBehind(): Promise<readonly string[]>;
  /** One statement: these are clear. */
  forget(locators: readonly string[]): Promise<void>;
}
