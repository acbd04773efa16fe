/**
 * The places of a consumer: how many tickets it works on at the same time, over all its queues.
 *
 * A place is taken before a ticket is asked for, so that no ticket is ever held without being worked on.
 */

/** A wait for a place. */
export interface Wish {
  /** True once there is a place, which is then to be given back with `release`; false when none will come. */
  readonly granted: Promise<boolean>;
  /** Wishes no longer; a place that was granted meanwhile is given back. */
  cancel(): void;
}

interface Waiter {
  readonly rank: number;
  settle(granted: boolean): void;
}

/** Bounded places; of those who wait, the lowest rank is next, then who has waited longest. */
export class Places {
  readonly #total: number;
  readonly #waiters: Waiter[] = [];
  #taken = 0;
  #closed = false;
  #emptied: (() => void)[] = [];

  constructor(total: number) {
    this.#total = total;
  }

  get free(): number {
    return this.#closed ? 0 : this.#total - this.#taken;
  }

  /** Whether it gives no more places. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Takes a place that is free now; to be given back with `release`. */
  tryTake(): boolean {
    if (this.free <= 0) return false;
    this.#taken += 1;
    return true;
  }

  /** Waits for a place. */
  take(rank: number): Wish {
    if (this.#closed || this.tryTake()) return settledWish(this, !this.#closed);
    let waiter: Waiter | undefined;
    const granted = new Promise<boolean>((settle) => {
      waiter = { rank, settle };
      const at = this.#waiters.findLastIndex((other) => other.rank <= rank);
      this.#waiters.splice(at + 1, 0, waiter);
    });
    const cancel = (): void => {
      const at = this.#waiters.findIndex((other) => other === waiter);
      if (at >= 0) this.#waiters.splice(at, 1)[0]?.settle(false);
      else void granted.then((has) => has && this.release());
    };
    return { granted, cancel };
  }

  /** Whether a waiter of a lower rank is next. */
  isWantedBefore(rank: number): boolean {
    const [first] = this.#waiters;
    return first !== undefined && first.rank < rank;
  }

  release(): void {
    const next = this.#waiters.shift();
    if (next !== undefined) return next.settle(true);
    this.#taken -= 1;
    if (this.#taken > 0) return;
    for (const tell of this.#emptied.splice(0)) tell();
  }

  /** Resolves once no place is taken. */
  async whenEmpty(): Promise<void> {
    if (this.#taken > 0) await new Promise<void>((resolve) => this.#emptied.push(resolve));
  }

  /** Gives no more places; those who wait get none. */
  close(): void {
    this.#closed = true;
    for (const { settle } of this.#waiters.splice(0)) settle(false);
  }
}

function settledWish(places: Places, granted: boolean): Wish {
  return { granted: Promise.resolve(granted), cancel: () => void (granted && places.release()) };
}
