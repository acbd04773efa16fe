/** What a taker of a hop is given: at once, later, or again and again. */

/** What a taker is given. */
export type Result = IteratorResult<unknown, undefined>;

/** No more records come. */
export const over: Result = { value: undefined, done: true };

/** A taker that waits for a record. */
export interface Waiting {
  readonly promise: Promise<Result>;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

export function waitingForOne(): Waiting {
  let [resolve, reject]: [Waiting['resolve'], Waiting['reject']] = [() => undefined, () => undefined];
  const promise = new Promise<Result>((...settle) => ([resolve, reject] = settle));
  return { promise, resolve, reject };
}

/** Results that are given in turn, at most. */
const mostInTurn = 16;

interface Reused {
  readonly promise: Promise<Result>;
  readonly result: { value: unknown; readonly done: false };
}

/**
 * Results for a loop, which has read one by the time it asks for the next: promises that are resolved already, used again in turn.
 *
 * To make a promise for each record would cost more than all else that a hop does with it, above all on Node.js 20, where hooks run for each promise
 * as soon as an AsyncLocalStorage is used.
 */
export class LoopResults {
  readonly #count: number;
  #inTurn: Reused[] = [];
  #at = 0;

  /** @param buffer of the hop: no more records than that are kept from being freed */
  constructor(buffer: number) {
    this.#count = Math.min(buffer, mostInTurn);
  }

  /** Resolves with the record. What it resolves with changes once as many others were given as there are in turn. */
  give(value: unknown): Promise<Result> {
    const reused = this.#inTurn[this.#at] ?? this.#add();
    this.#at = this.#at + 1 === this.#count ? 0 : this.#at + 1;
    reused.result.value = value;
    return reused.promise;
  }

  /** Lets go of the records that were given last. */
  clear(): void {
    this.#inTurn = [];
    this.#at = 0;
  }

  #add(): Reused {
    const result: Reused['result'] = { value: undefined, done: false };
    const reused = { promise: Promise.resolve<Result>(result), result };
    this.#inTurn.push(reused);
    return reused;
  }
}
