/** Where a fixed number of parties wait for each other, again and again. */
export class Meeting<T> {
  readonly #parties: number;
  #arrived: { readonly resolve: (value: T | Promise<T>) => void; readonly reject: (error: unknown) => void }[] = [];
  #make: (() => T | Promise<T>) | null = null;
  #cancelled: { readonly error: unknown } | null = null;

  constructor(parties: number) {
    this.#parties = parties;
  }

  /**
   * Resolves once all have arrived, all with the result of the first `make` that one of them brought.
   *
   * @throws what `make` throws, for all; the error of `cancel`
   */
  arrive(make: (() => T | Promise<T>) | null): Promise<T> {
    if (this.#cancelled !== null) return Promise.reject(this.#cancelled.error);
    this.#make ??= make;
    const met = new Promise<T>((resolve, reject) => void this.#arrived.push({ resolve, reject }));
    if (this.#arrived.length === this.#parties) this.#conclude();
    return met;
  }

  /** Nothing waits here any more. */
  cancel(error: unknown): void {
    this.#cancelled ??= { error };
    const waiting = this.#arrived;
    this.#arrived = [];
    for (const { reject } of waiting) reject(error);
  }

  #conclude(): void {
    const [arrived, make] = [this.#arrived, this.#make];
    [this.#arrived, this.#make] = [[], null];
    try {
      const made = (make as () => T | Promise<T>)();
      for (const { resolve } of arrived) resolve(made);
    } catch (error) {
      for (const { reject } of arrived) reject(error);
    }
  }
}
