/** Places for tasks that run at the same time. */

interface Waiter {
  readonly priority: number;
  readonly take: () => void;
}

/** A bounded number of places; the waiter of highest priority, then the longest waiting, is next. */
export class Semaphore {
  #limit: number;
  #taken = 0;
  #waiting: Waiter[] = [];
  /** Place of the next waiter in `#waiting`; a shift of a long array would cost its length. */
  #head = 0;

  /** @param limit places, null for no bound. */
  constructor(limit: number | null) {
    this.#limit = limit ?? Number.POSITIVE_INFINITY;
  }

  /** Takes a place: null when one was free, else a promise of one. */
  take(priority: number): Promise<void> | null {
    if (this.#taken < this.#limit) {
      this.#taken++;
      return null;
    }
    return new Promise((resolve) => {
      let at = this.#waiting.length;
      while (at > this.#head && (this.#waiting[at - 1]?.priority ?? priority) < priority) at--;
      this.#waiting.splice(at, 0, { priority, take: resolve });
    });
  }

  /** Takes a place that is not free: so many more have to be given back before a waiter gets one. */
  overtake(): void {
    this.#taken++;
  }

  /** Gives a place back; the next waiter has it at once. */
  give(): void {
    const next = this.#taken > this.#limit ? undefined : this.#waiting[this.#head];
    if (!next) {
      this.#taken--;
      return;
    }
    this.#head++;
    if (this.#head > 1000 && this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    next.take();
  }

  /** Lifts the bound: all that wait have a place at once. For a run that has stopped, whose waiters only need to see that. */
  open(): void {
    this.#limit = Number.POSITIVE_INFINITY;
    const waiting = this.#waiting.slice(this.#head);
    this.#waiting = [];
    this.#head = 0;
    this.#taken += waiting.length;
    for (const waiter of waiting) waiter.take();
  }
}
