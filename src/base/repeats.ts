/**
 * Keeps repeated warnings from filling a log: while a database is down, each loop of a process warns at every step, some several times a
 * second. A warning is printed at once, then at most once a minute, with how many were left out. Owned by a process's log.
 */
import type { Clock } from './clock.ts';

const quietMs = 60_000;
/** More distinct warnings are no repetition. */
const maxKept = 200;

interface Told {
  /** Monotonic, ms. */
  readonly at: number;
  leftOut: number;
}

export class Repeats {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #told = new Map<string, Told>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** How many similar ones were left out since the last printed one, 0 for a first one; null if this one is to be left out too. */
  count(warning: string): number | null {
    const now = this.#clock.monotonic();
    const last = this.#told.get(warning);
    if (last && now < last.at + quietMs) {
      last.leftOut += 1;
      return null;
    }
    if (this.#told.size >= maxKept) this.#told.clear();
    this.#told.set(warning, { at: now, leftOut: 0 });
    return last?.leftOut ?? 0;
  }
}
