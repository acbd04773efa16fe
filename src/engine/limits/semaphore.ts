/** Places for tasks that run at the same time. */

interface Waiter {
  readonly priority: number;
  readonly count: number;
  /** @param isTurnedAway whether it only has to give its places back */
  readonly take: (isTurnedAway: boolean) => void;
}

/**
 * A bounded number of places; a task may need several. The waiter with the highest priority, then the longest wait, is next. Those behind
 * it wait until it has as many as it needs: otherwise it might never get its turn.
 */
export class Semaphore {
  #limit: number;
  #taken = 0;
  #waiting: Waiter[] = [];
  /** Index of the next waiter in `#waiting`; shifting a long array would cost its length. */
  #head = 0;

  /** @param limit places; null: unbounded. */
  constructor(limit: number | null) {
    this.#limit = limit ?? Number.POSITIVE_INFINITY;
  }

  /**
   * Takes `count` places, or all there are if it needs more: null if they were free, else a promise of them, of whether it was turned away
   * meanwhile. The same number must be given back in any case.
   */
  take(priority: number, count = 1): Promise<boolean> | null {
    const wanted = this.#bounded(count);
    if (this.#taken + wanted <= this.#limit && !this.#isWaitedForAt(priority)) {
      this.#taken += wanted;
      return null;
    }
    return new Promise((resolve) => {
      let at = this.#waiting.length;
      while (at > this.#head && (this.#waiting[at - 1]?.priority ?? priority) < priority) at--;
      this.#waiting.splice(at, 0, { priority, count, take: resolve });
    });
  }

  /** Takes places that are not free: as many more must be given back before a waiter gets one. */
  overtake(count = 1): void {
    this.#taken += this.#bounded(count);
  }

  /** Gives places back; waiters have them at once. */
  give(count = 1): void {
    this.#taken -= this.#bounded(count);
    for (let next = this.#waiting[this.#head]; next !== undefined; next = this.#waiting[this.#head]) {
      const wanted = this.#bounded(next.count);
      if (this.#taken + wanted > this.#limit) return;
      this.#taken += wanted;
      this.#head++;
      if (this.#head > 1000 && this.#head * 2 > this.#waiting.length) {
        this.#waiting = this.#waiting.slice(this.#head);
        this.#head = 0;
      }
      next.take(false);
    }
  }

  /** Lifts the bound: all waiters get a place at once. For a stopped run, whose waiters only need to notice that. */
  open(): void {
    this.#limit = Number.POSITIVE_INFINITY;
    this.turnAway();
  }

  /** A task that needs more takes them all. */
  #bounded(count: number): number {
    return Math.min(count, this.#limit);
  }

  /** All waiters get a place at once, beyond the bound, which holds for later ones: they only give it back. */
  turnAway(): void {
    const waiting = this.#waiting.slice(this.#head);
    this.#waiting = [];
    this.#head = 0;
    for (const { count } of waiting) this.#taken += this.#bounded(count);
    for (const waiter of waiting) waiter.take(true);
  }

  /** Whether a waiter precedes one of that priority. */
  #isWaitedForAt(priority: number): boolean {
    const next = this.#waiting[this.#head];
    return next !== undefined && next.priority >= priority;
  }
}
