/**
 * Claims runs in groups: what is asked for within one turn of the event loop, and while a claim is under way, is one statement.
 *
 * A crash between the claim and the work leaves the lease, which runs out.
 */
import type { Run } from '../../model/run.ts';

/** Most runs of one statement. */
const maxIds = 500;

/** Claims a group; tells which of it are not there. */
export type ClaimMany = (ids: readonly string[], onMissing: (id: string) => void) => Promise<ReadonlyMap<string, Run>>;

interface Asked {
  readonly onMissing: (() => void) | undefined;
  readonly resolve: (run: Run | null) => void;
  readonly reject: (error: unknown) => void;
}

export class ClaimBatcher {
  readonly #claimMany: ClaimMany;
  #asked = new Map<string, Asked[]>();
  #claiming = false;

  constructor(claimMany: ClaimMany) {
    this.#claimMany = claimMany;
  }

  /**
   * The run as claimed; null when it is not to be had. Of several who ask for one run at once, one gets it.
   *
   * @param onMissing is told beforehand where there is no such run
   * @throws BatutaError STORE_…
   */
  claim(id: string, onMissing?: () => void): Promise<Run | null> {
    return new Promise((resolve, reject) => {
      const asked = { resolve, reject, onMissing };
      const before = this.#asked.get(id);
      if (before) before.push(asked);
      else this.#asked.set(id, [asked]);
      if (this.#claiming) return;
      this.#claiming = true;
      setImmediate(() => void this.#claimAll());
    });
  }

  async #claimAll(): Promise<void> {
    while (this.#asked.size > 0) {
      const group = [...this.#asked].slice(0, maxIds);
      for (const [id] of group) this.#asked.delete(id);
      try {
        const askedFor = new Map(group);
        const claimed = await this.#claimMany([...askedFor.keys()], (id) => askedFor.get(id)?.forEach((asked) => asked.onMissing?.()));
        for (const [id, [first, ...others]] of group) {
          first?.resolve(claimed.get(id) ?? null);
          for (const other of others) other.resolve(null);
        }
      } catch (error) {
        for (const [, asked] of group) for (const { reject } of asked) reject(error);
      }
    }
    this.#claiming = false;
  }
}
