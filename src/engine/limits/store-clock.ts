/**
 * What this process knows of the clock of the database: no more than two bounds, from the times at which it asked and was answered.
 *
 * A process waits until it is surely time there, and says that something has happened no later than its highest reckoning. So neither a slow answer
 * nor a clock of its own that is wrong counts for anything but a little time lost.
 */

/** How long what an answer told is good for, ms. */
const goodForMs = 5_000;
/** By how much two clocks may part, ms in a ms. */
const drift = 0.0005;
/** The clock is told in whole milliseconds. */
const roundedMs = 1;

/** Differences between the clock there and the monotonic one here. */
interface Bounds {
  readonly since: number;
  readonly least: number;
  readonly most: number;
}

export class StoreClock {
  #new: Bounds | null = null;
  #old: Bounds | null = null;

  /** An answer said that it was `at` there, at some moment between these two here. */
  note(sentAt: number, at: number, answeredAt: number): void {
    const [least, most] = [at - answeredAt, at + roundedMs - sentAt];
    // It was set: what was known before counts for nothing.
    if (this.#all(answeredAt).some((known) => least > known.most || most < known.least)) this.#new = this.#old = null;
    if (this.#new === null || answeredAt - this.#new.since > goodForMs) {
      this.#old = this.#new;
      this.#new = { since: sentAt, least, most };
    } else this.#new = { since: this.#new.since, least: Math.max(this.#new.least, least), most: Math.min(this.#new.most, most) };
  }

  /** When it is surely that instant there. */
  surelyAt(instant: number, now: number): number {
    return instant - Math.max(...this.#all(now).map(({ least }) => least));
  }

  /** Until when it is surely not yet that instant there. */
  notYetAt(instant: number, now: number): number {
    return instant - this.#most(now);
  }

  /** It is no later there. */
  latest(now: number): number {
    return Math.ceil(now + this.#most(now));
  }

  #most(now: number): number {
    return Math.min(...this.#all(now).map(({ most }) => most));
  }

  /** Each widened by what the clocks may have parted since. */
  #all(now: number): readonly Pick<Bounds, 'least' | 'most'>[] {
    return [this.#new, this.#old].flatMap((known) => {
      if (known === null) return [];
      const parted = Math.max(0, now - known.since) * drift;
      return [{ least: known.least - parted, most: known.most + parted }];
    });
  }
}
