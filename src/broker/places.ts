/**
 * The places of a consumer: how many tickets it works on at the same time, over all its queues.
 *
 * A place is taken before a ticket is asked for, so that no ticket is held without being worked on. Only a ticket that needs several places
 * waits while it is held: then every place that becomes free is kept for it, and nothing new is taken until it has them all.
 */
import { BatutaError } from '../base/errors.ts';
import type { TicketPlaces } from './broker.ts';

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

/** A ticket that waits for several places at once, and holds none meanwhile. */
interface Heavy {
  readonly count: number;
  settle(granted: boolean): void;
}

/** Bounded places; whoever needs several goes first. Of the others that wait, the lowest rank is next, then who has waited longest. */
export class Places {
  readonly total: number;
  readonly #waiters: Waiter[] = [];
  readonly #heavy: Heavy[] = [];
  #taken = 0;
  #closed = false;
  #emptied: (() => void)[] = [];

  constructor(total: number) {
    this.total = total;
  }

  get free(): number {
    return this.#closed || this.isKept ? 0 : Math.max(0, this.total - this.#taken);
  }

  /** Whether what becomes free is kept for a ticket that needs several places. */
  get isKept(): boolean {
    return this.#heavy.length > 0;
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

  /** Takes all that are free now, and says how many; to be given back with `release`. */
  takeFree(): number {
    const { free } = this;
    this.#taken += free;
    return free;
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

  /** Whether somebody waits who is served before those of that rank. */
  isWantedBefore(rank: number): boolean {
    const [first] = this.#waiters;
    return this.isKept || (first !== undefined && first.rank < rank);
  }

  /** The place of a ticket, which was taken for it, as the ticket's own. */
  hold(): HeldPlaces {
    return new HeldPlaces(this);
  }

  /**
   * Gives the one place of a ticket for `count` of them, at once where they are free. Else it holds none until it has them all, behind others that
   * wait so. False: it has its one place again, for none will come, or `cancel` was called.
   *
   * @param count 2 to `total`
   */
  widen(count: number): Wish {
    if (!this.isKept && this.free >= count - 1) {
      this.#taken += count - 1;
      return { granted: Promise.resolve(true), cancel: () => undefined };
    }
    if (this.#closed) return { granted: Promise.resolve(false), cancel: () => undefined };
    let heavy: Heavy | undefined;
    const granted = new Promise<boolean>((settle) => {
      heavy = { count, settle };
      this.#heavy.push(heavy);
    });
    this.release();
    const cancel = (): void => {
      const at = this.#heavy.findIndex((other) => other === heavy);
      if (at < 0) return;
      this.#heavy.splice(at, 1);
      this.#deny(heavy);
      this.#serve();
    };
    return { granted, cancel };
  }

  release(count = 1): void {
    this.#taken -= count;
    this.#serve();
    if (this.#taken > 0 || this.isKept) return;
    for (const tell of this.#emptied.splice(0)) tell();
  }

  /** Resolves once no place is taken. */
  async whenEmpty(): Promise<void> {
    if (this.#taken > 0 || this.isKept) await new Promise<void>((resolve) => this.#emptied.push(resolve));
  }

  /** Gives no more places; those who wait get none. */
  close(): void {
    this.#closed = true;
    for (const { settle } of this.#waiters.splice(0)) settle(false);
    for (const heavy of this.#heavy.splice(0)) this.#deny(heavy);
  }

  #serve(): void {
    for (let [next] = this.#heavy; next !== undefined; [next] = this.#heavy) {
      // Those behind it wait: otherwise it might never be its turn.
      if (this.total - this.#taken < next.count) return;
      this.#heavy.shift();
      this.#taken += next.count;
      next.settle(true);
    }
    while (this.#taken < this.total) {
      const next = this.#waiters.shift();
      if (next === undefined) return;
      this.#taken += 1;
      next.settle(true);
    }
  }

  /** Its own place is its own again, be there one too many for a while. */
  #deny(heavy: Heavy | undefined): void {
    this.#taken += 1;
    heavy?.settle(false);
  }
}

/** The places that one ticket holds: one, several, or none while it waits for several. */
export class HeldPlaces implements TicketPlaces {
  readonly #places: Places;
  #count = 1;
  #wish: Wish | null = null;

  constructor(places: Places) {
    this.#places = places;
  }

  get count(): number {
    return this.#count;
  }

  get total(): number {
    return this.#places.total;
  }

  get areKept(): boolean {
    return this.#places.isKept;
  }

  areFree(count: number): boolean {
    return this.#places.free >= count - 1;
  }

  async widen(count: number): Promise<boolean> {
    if (!Number.isSafeInteger(count) || count < 1 || count > this.total || this.#count !== 1)
      throw new BatutaError('INTERNAL', `A ticket that holds ${this.#count} of ${this.total} places asked for ${count}.`);
    if (count === 1) return true;
    const wish = this.#places.widen(count);
    this.#wish = wish;
    this.#count = 0;
    const granted = await wish.granted;
    this.#count = granted ? count : 1;
    this.#wish = null;
    return granted;
  }

  cancel(): void {
    this.#wish?.cancel();
  }

  /** Gives back all but one, which passes to the next ticket or is released. Null where that is done at once. */
  end(): Promise<void> | null {
    if (this.#wish !== null) return this.#endWaiting(this.#wish);
    if (this.#count > 1) this.#places.release(this.#count - 1);
    this.#count = 1;
    return null;
  }

  async #endWaiting(wish: Wish): Promise<void> {
    wish.cancel();
    // By then whoever asked has been told, and the count is right.
    await wish.granted;
    await this.end();
  }
}

function settledWish(places: Places, granted: boolean): Wish {
  return { granted: Promise.resolve(granted), cancel: () => void (granted && places.release()) };
}
