/**
 * Tells whoever follows what runs give out that there may be more: at once what this process records, and what others record by one statement
 * for all runs that are followed here, however many readers they have. Looks at nothing while nobody follows.
 */
import type { Clock, Timer } from '../../base/clock.ts';
import type { Store } from '../../store/store.ts';

/** Between two looks at whether the database has changed, where it can tell, ms. */
const tickMs = 25;
/** It is asked at the latest after so many. */
const ticksPerLook = 4;

interface Followed {
  readonly listeners: Set<() => void>;
  /** What was seen of it last. */
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

  /** Calls `onMore` whenever the run may have given out more, or has ended, until the function given back is called. */
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

  /** Tells those who follow the run. */
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

  /** Whether somebody has written since it was asked last; false where the database cannot tell. */
  #hasChanged(): boolean {
    try {
      const before = this.#version;
      this.#version = this.#store.dataVersion();
      return this.#version !== null && this.#version !== before;
    } catch {
      // The look tells whether it can be read at all.
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
      // Whoever follows meets it when they read.
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
