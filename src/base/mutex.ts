/** Turns within the process, in the order requested. */
export class Mutex {
  readonly #waiting: (() => void)[] = [];
  #held = false;

  /** Whether it is held now. */
  get held(): boolean {
    return this.#held;
  }

  /** Resolves once it is yours; return it with `release`. */
  async acquire(): Promise<void> {
    if (!this.#held) {
      this.#held = true;
      return;
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#held = false;
    else next();
  }

  /** Runs `work` while holding it. */
  async run<T>(work: () => Promise<T> | T): Promise<T> {
    await this.acquire();
    try {
      return await work();
    } finally {
      this.release();
    }
  }
}
