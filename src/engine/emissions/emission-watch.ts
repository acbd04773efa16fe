/**
 * Notifies followers of runs that there may be more emissions: at once of those recorded in this process, and of others by one query for
 * all runs followed here, however many readers they have. Idle while nothing is followed.
 */
import type { Clock, Timer } from '../../base/clock.ts';
import type { Store } from '../../store/store.ts';

/** Interval between checks whether the database has changed, if it can tell, ms. */
const tickMs = 25;
/** Ticks between queries at most. */
const ticksPerLook = 4;

interface Followed {
  readonly listeners: Set<() => void>;
  /** Its state when last seen. */
  seen: string;
}

export class EmissionWatch {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #runs = new Map<string, Followed>();
  #timer: Timer | null = null;
  #isLooking = false;
  #version: number | null = null;
  #ticks = 0;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Calls `onMore` whenever the run may have emitted more, or has ended, until the returned function is called. */
  listen(runId: string, onMore: () => void): () => void {
    const followed = this.#runs.get(runId) ?? { listeners: new Set(), seen: '' };
    followed.listeners.add(onMore);
    this.#runs.set(runId, followed);
    this.#tickSoon();
    return () => {
      followed.listeners.delete(onMore);
      if (followed.listeners.size === 0 && this.#runs.get(runId) === followed) this.#runs.delete(runId);
      if (this.#runs.size > 0) return;
      this.#timer?.cancel();
      this.#timer = null;
    };
  }

  /** Notifies the run's followers. */
  ring(runId: string): void {
    for (const listener of this.#runs.get(runId)?.listeners ?? []) listener();
  }

  #tickSoon(): void {
    if (this.#isLooking || this.#runs.size === 0) return;
    this.#timer ??= this.#clock.setTimer(tickMs, () => this.#tick());
  }

  #tick(): void {
    this.#timer = null;
    this.#isLooking = true;
    const hasChanged = this.#hasChanged();
    const isDue = ++this.#ticks >= ticksPerLook || hasChanged;
    const looked = isDue ? this.#look() : Promise.resolve();
    void looked.then(() => {
      this.#isLooking = false;
      this.#tickSoon();
    });
  }

  /** Whether anything was written since the last check; false if the database cannot tell. */
  #hasChanged(): boolean {
    try {
      const before = this.#version;
      this.#version = this.#store.dataVersion();
      return this.#version !== null && this.#version !== before;
    } catch {
      // The query shows whether it can be read at all.
      return true;
    }
  }

  async #look(): Promise<void> {
    this.#ticks = 0;
    const runIds = [...this.#runs.keys()];
    try {
      const places = new Map((await this.#store.emissions.places(runIds)).map((place) => [place.runId, place]));
      for (const runId of runIds) this.#note(runId, JSON.stringify(places.get(runId) ?? null));
    } catch {
      // Followers get the error when they read.
      for (const runId of runIds) this.ring(runId);
    }
  }

  #note(runId: string, seen: string): void {
    const followed = this.#runs.get(runId);
    if (!followed || followed.seen === seen) return;
    followed.seen = seen;
    this.ring(runId);
  }
}
