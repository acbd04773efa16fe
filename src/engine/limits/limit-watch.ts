/**
 * Checks again whenever a slot may have become free, for all waits in this process.
 *
 * It is woken at once by what ends in this process and by news from others; a database that can tell whether anything was written is asked
 * that many times a second, which costs microseconds; as a safety net, it checks every second. It rests while nothing waits.
 */
import type { Logger } from 'pino';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Store } from '../../store/store.ts';

/** How often the database is asked whether it has changed, ms. */
const askMs = 50;
/** How often it checks in any case, ms. */
const netMs = 1_000;

export interface LimitWatchOptions {
  readonly store: Pick<Store, 'dataVersion'>;
  /** The system's. */
  readonly clock: Clock;
  readonly log: Logger;
  /** Done before the check of every second: frees what nobody gives back. */
  readonly net: () => Promise<void>;
}

/** Checks whether a wait is over. */
export type Look = () => Promise<void>;

export class LimitWatch {
  readonly #options: LimitWatchOptions;
  readonly #looks = new Set<Look>();
  #looking = false;
  #again = false;
  #timer: Timer | null = null;
  #version: number | null = null;
  #netAt = 0;

  constructor(options: LimitWatchOptions) {
    this.#options = options;
  }

  /** Calls `look` until the returned function is called. */
  begin(look: Look): () => void {
    this.#looks.add(look);
    if (!this.#timer) {
      this.#netAt = this.#options.clock.monotonic() + netMs;
      this.#arm();
    }
    return () => {
      this.#looks.delete(look);
      if (this.#looks.size > 0) return;
      this.#timer?.cancel();
      this.#timer = null;
    };
  }

  /** Checks at once. */
  wake(): void {
    if (this.#looks.size === 0) return;
    this.#again = true;
    if (this.#looking) return;
    this.#looking = true;
    void this.#lookAll().finally(() => (this.#looking = false));
  }

  #arm(): void {
    this.#timer = this.#options.clock.setTimer(askMs, () => {
      this.#arm();
      void this.#ask();
    });
  }

  async #ask(): Promise<void> {
    const { store, clock, net, log } = this.#options;
    if (clock.monotonic() >= this.#netAt) {
      this.#netAt = clock.monotonic() + netMs;
      await net().catch((error: unknown) => log.warn({ err: error }, 'Slots of lost processes could not be looked for.'));
      return this.wake();
    }
    let version: number | null;
    try {
      version = store.dataVersion();
    } catch (error) {
      log.warn({ err: error }, 'Could not ask the database whether it has changed; polling once a second instead.');
      return;
    }
    if (version === this.#version) return;
    this.#version = version;
    this.wake();
  }

  async #lookAll(): Promise<void> {
    while (this.#again && this.#looks.size > 0) {
      this.#again = false;
      for (const look of this.#looks)
        await look().catch((error: unknown) =>
          this.#options.log.warn({ err: error }, 'A free slot could not be looked for; the next look follows.'),
        );
    }
  }
}
