/** Contract of large results as the database knows them: which runs have them, where they are, and the pieces of those stored here. */

/** Large results at one place. */
export interface ResultSum {
  /** See `ResultRef`. */
  readonly place: string;
  readonly count: number;
  /** Only of known sizes. */
  readonly bytes: number;
}

/** A large result, listed once even if several runs reference it. */
export interface ListedResult {
  readonly locator: string;
  /** Null in older rows, like `sha256`. */
  readonly bytes: number | null;
  readonly sha256: string | null;
}

export interface ResultStore {
  /** One statement: a piece of a value, added or replaced; `part` counts from 0. Nothing is kept for a run that does not exist. */
  writePart(key: string, part: number, bytes: Uint8Array): Promise<void>;
  /** One statement: removes the pieces from `part` on. */
  removeParts(key: string, part: number): Promise<void>;
  /** Null if there is no such piece. */
  readPart(key: string, part: number): Promise<Uint8Array | null>;
  /** Bytes of all pieces; null if there are none. */
  size(key: string): Promise<number | null>;
  /** By place. */
  sums(): Promise<readonly ResultSum[]>;
  /** Results not at `place`, of ended runs whose parents have ended too; by locator, after the one named. */
  movable(place: string, after: string, limit: number): Promise<readonly ListedResult[]>;
  /**
   * One transaction: all references to these results point elsewhere from now on, and their old locators are recorded for clearing.
   * Unreferenced results, and those of reopened runs, are left as they are. Returns the old locators of the others.
   *
   * @param moves a locator and the reference that replaces it
   */
  move(moves: readonly { readonly from: string; readonly to: string }[]): Promise<readonly string[]>;
  /** Old locators still to be cleared, at most 1,000. */
  leftBehind(): Promise<readonly string[]>;
  /** One statement: these are clear. */
  forget(locators: readonly string[]): Promise<void>;
}
