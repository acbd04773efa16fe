/** Batches what is requested within one turn of the event loop, or while another batch is running. */

import { systemClock } from '../base/clock.ts';

/** After a group of this size the next is expected to be large too, and is held for it. */
const manyItems = 4;

export interface BatcherOptions {
  /** Maximum size of a group. Default 500. */
  readonly maxItems?: number;
  /** How much longer a group that follows a large one is held, ms. Default 0. One that follows a small one never waits. */
  readonly lingerMs?: number;
}

interface Asked<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** Groups run one after the other, in the order of the requests. */
export class Batcher<Item, Result> {
  readonly #doAll: (items: readonly Item[]) => Promise<readonly Result[]>;
  readonly #maxItems: number;
  readonly #lingerMs: number;
  #asked: Asked<Item, Result>[] = [];
  #busy = false;
  #wasLarge = false;

  /** @param doAll does a group, returning results in its order */
  constructor(doAll: (items: readonly Item[]) => Promise<readonly Result[]>, { maxItems = 500, lingerMs = 0 }: BatcherOptions = {}) {
    this.#doAll = doAll;
    this.#maxItems = maxItems;
    this.#lingerMs = lingerMs;
  }

  /** The result of the item. @throws what its group failed with */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ item, resolve, reject });
      if (this.#busy) return;
      this.#busy = true;
      if (this.#wasLarge && this.#lingerMs > 0) systemClock.setTimer(this.#lingerMs, () => void this.#run());
      else setImmediate(() => void this.#run());
    });
  }

  async #run(): Promise<void> {
    while (this.#asked.length > 0) {
      const group = this.#asked.slice(0, this.#maxItems);
      this.#asked = this.#asked.slice(this.#maxItems);
      this.#wasLarge = group.length >= manyItems;
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
