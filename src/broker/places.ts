/**
 * The places of a consumer: how many tickets it works on at the same time, over all its queues.
 *
 * A place is taken before a ticket is asked for, so that no ticket is ever held without being worked on.
 */

/** Bounded places; the waiter of lowest rank, then the longest waiting, is next. */
export class Places {
  readonly #total: number;
  readonly #waiting: { readonly rank: number; readonly settle: (taken: boolean) => void }[] = [];
  readonly #listeners = new Set<() => void>();
  #taken = 0;
  #closed = false;

  constructor(total: number) {
    this.#total = total;
  }

  get taken(): number {
    return this.#taken;
  }

  get free(): number {
    return this.#closed ? 0 : this.#total - this.#taken;
  }

  /** Whether nobody gets a place any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Whether somebody waits for a place. */
  get wanted(): boolean {
    return this.#waiting.length > 0;
  }

  /** Resolves with true once a place is taken, to be given back with `release`, and with false once closed. */
  take(rank: number): Promise<boolean> | boolean {
    if (this.#closed) return false;
    if (this.#taken < this.#total) {
      this.#taken += 1;
      return true;
    }
    return new Promise((settle) => {
      const at = this.#waiting.findLastIndex((waiter) => waiter.rank <= rank);
      this.#waiting.splice(at + 1, 0, { rank, settle });
    });
  }

  release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken -= 1;
    else next.settle(true);
    if (this.free > 0 || this.#taken === 0) this.#tell();
  }

  /** Resolves once a place is free or all is closed; false when it was so from the start. */
  async whenFree(): Promise<boolean> {
    if (this.#closed || this.free > 0) return false;
    await this.#until(() => this.#closed || this.free > 0);
    return true;
  }

  /** Resolves once no place is taken. */
  async whenEmpty(): Promise<void> {
    await this.#until(() => this.#taken === 0);
  }

  /** Gives no more places; those who wait are told. */
  close(): void {
    this.#closed = true;
    for (const { settle } of this.#waiting.splice(0)) settle(false);
    this.#tell();
  }

  async #until(holds: () => boolean): Promise<void> {
    if (holds()) return;
    await new Promise<void>((resolve) => {
      const listener = (): void => {
        if (!holds()) return;
        this.#listeners.delete(listener);
        resolve();
      };
      this.#listeners.add(listener);
    });
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
