/**
 * The places of a consumer: how many tickets it works on at the same time, over all its queues.
 *
 * A place is taken before a ticket is requested, so that no ticket is held without being worked on. Only a ticket that needs several places
 * waits while held: then every freed place is kept for it, and nothing new is taken until it has them all.
 */
import { BatutaError } from '../base/errors.ts';
import type { TicketPlaces } from './broker.ts';

/** A wait for a place. */
export interface Wish {
  /** True once there is a place, to be returned with `release`; false if none will come. */
  readonly granted: Promise<boolean>;
  /** Withdraws the wish; a place granted meanwhile is returned. */
  cancel(): void;
}

interface Waiter {
  readonly rank: number;
  settle(granted: boolean): void;
}

/** A ticket waiting for several places at once, holding none meanwhile. */
interface Heavy {
  readonly count: number;
  settle(granted: boolean): void;
}

/** Bounded places; tickets that need several go first. Of the others, the lowest rank is next, then the longest wait. */
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

  /** Whether freed places are kept for a ticket that needs several. */
  get isKept(): boolean {
    return this.#heavy.length > 0;
  }

  /** Whether it grants no more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Takes a free place, if any; return it with `release`. */
  tryTake(): boolean {
    if (this.free <= 0) return false;
    this.#taken += 1;
    return true;
  }

  /** Takes all free places, and returns how many; return them with `release`. */
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

  /** Whether anyone waits who is served before that rank. */
  isWantedBefore(rank: number): boolean {
    const [first] = this.#waiters;
    return this.isKept || (first !== undefined && first.rank < rank);
  }

  /** The place taken for a ticket, as the ticket's own. */
  hold(): HeldPlaces {
    return new HeldPlaces(this);
  }

  /**
   * Exchanges a ticket's one place for `count` of them, at once if free. Otherwise it holds none until it has them all, behind earlier such
   * waits. False: it has its one place again, as none will come, or `cancel` was called.
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

  /** Grants no more; those who wait get none. */
  close(): void {
    this.#closed = true;
    for (const { settle } of this.#waiters.splice(0)) settle(false);
    for (const heavy of this.#heavy.splice(0)) this.#deny(heavy);
  }

  #serve(): void {
    for (let [next] = this.#heavy; next !== undefined; [next] = this.#heavy) {
      // Those behind it wait: otherwise it might never get a turn.
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

  /** Its own place is its own again, even if briefly one too many. */
  #deny(heavy: Heavy | undefined): void {
    this.#taken += 1;
    heavy?.settle(false);
  }
}

/** The places of one ticket: one, several, or none while it waits for several. */
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

  /** Returns all but one, which passes to the next ticket or is released. Null if done at once. */
  end(): Promise<void> | null {
    if (this.#wish !== null) return this.#endWaiting(this.#wish);
    if (this.#count > 1) this.#places.release(this.#count - 1);
    this.#count = 1;
    return null;
  }

  async #endWaiting(wish: Wish): Promise<void> {
    wish.cancel();
    // By then the requester knows, and the count is right.
    await wish.granted;
    await this.end();
  }
}

function settledWish(places: Places, granted: boolean): Wish {
  return { granted: Promise.resolve(granted), cancel: () => void (granted && places.release()) };
}
