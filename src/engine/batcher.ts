/** Gathers what is asked for within one turn of the event loop, and while a group is under way, into groups that are done at once. */

interface Asked<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** Groups are done one after the other, in the order of asking. */
export class Batcher<Item, Result> {
  readonly #doAll: (items: readonly Item[]) => Promise<readonly Result[]>;
  readonly #maxItems: number;
  #asked: Asked<Item, Result>[] = [];
  #busy = false;

  /**
   * @param doAll does a group and gives the results in its order
   * @param maxItems most items of a group
   */
  constructor(doAll: (items: readonly Item[]) => Promise<readonly Result[]>, maxItems = 500) {
    this.#doAll = doAll;
    this.#maxItems = maxItems;
  }

  /** The result of the item. @throws what its group failed with */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ item, resolve, reject });
      if (this.#busy) return;
      this.#busy = true;
      setImmediate(() => void this.#run());
    });
  }

  async #run(): Promise<void> {
    while (this.#asked.length > 0) {
      const group = this.#asked.slice(0, this.#maxItems);
      this.#asked = this.#asked.slice(this.#maxItems);
      try {
        const results = await this.#doAll(group.map(({ item }) => item));
        for (const [at, { resolve }] of group.entries()) resolve(results[at] as Result);
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#busy = false;
  }
}
