/**
 * This process's waits for values that others make: one query for all of them whenever something may have been written, see `LimitWatch`.
 */
import type { Logger } from 'pino';
import type { Clock } from '../../base/clock.ts';
import type { FoundEntry, Store } from '../../store/store.ts';
import { LimitWatch } from '../limits/limit-watch.ts';
import { untilAborted } from './flight.ts';

export interface CacheWaitsOptions {
  readonly store: Store;
  /** The system's. */
  readonly clock: Clock;
  readonly log: Logger;
}

type Listener = (entry: FoundEntry | null) => void;

export class CacheWaits {
  readonly #store: Store;
  readonly #watch: LimitWatch;
  readonly #listeners = new Map<string, Listener>();
  #rest: () => void = () => undefined;

  constructor({ store, clock, log }: CacheWaitsOptions) {
    this.#store = store;
    this.#watch = new LimitWatch({ store, clock, log, net: async () => undefined });
  }

  /** Checks at once. */
  wake(): void {
    this.#watch.wake();
  }

  /** The current entry after the next check; the earlier one if the signal aborts first. */
  async next(id: string, before: FoundEntry | null, signal: AbortSignal): Promise<FoundEntry | null> {
    let listener: Listener = () => undefined;
    const looked = new Promise<{ readonly entry: FoundEntry | null }>((resolve) => {
      listener = (entry) => resolve({ entry });
    });
    if (this.#listeners.size === 0) this.#rest = this.#watch.begin(() => this.#look());
    this.#listeners.set(id, listener);
    try {
      const found = await untilAborted(looked, signal);
      return found === null ? before : found.entry;
    } finally {
      this.#listeners.delete(id);
      if (this.#listeners.size === 0) this.#rest();
    }
  }

  async #look(): Promise<void> {
    const asked = [...this.#listeners];
    if (asked.length === 0) return;
    const found = new Map((await this.#store.cache.find(asked.map(([id]) => id))).map((entry) => [entry.id, entry]));
    for (const [id, listener] of asked) listener(found.get(id) ?? null);
  }
}
