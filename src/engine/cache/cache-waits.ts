/**
 * Waits of this process for values that others make: one question for all of them whenever somebody may have written, see `LimitWatch`.
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

  /** Looks at once. */
  wake(): void {
    this.#watch.wake();
  }

  /** The entry as it stands once a look has found that somebody else must act on it, or after each look of the net; as it was when the signal comes first. */
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
