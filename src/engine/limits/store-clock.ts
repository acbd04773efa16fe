/**
 * What this process knows of the database's clock: just two bounds, from the times of its requests and their answers.
 *
 * A process waits until the instant has surely come there, and reports events no later than its highest estimate. So a slow answer or a
 * wrong local clock costs no more than a little time.
 */

/** How long an answer's bounds stay current, ms. */
const goodForMs = 5_000;
/** How far two clocks drift apart, ms per ms. */
const drift = 0.0005;
/** Its readings are whole milliseconds. */
const roundedMs = 1;

/** Differences of the clock there to the monotonic one here. */
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
    // The clock was set: earlier bounds are void.
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

  /** Until when that instant has surely not come there. */
  notYetAt(instant: number, now: number): number {
    return instant - this.#most(now);
  }

  /** Latest possible time there. */
  latest(now: number): number {
    return Math.ceil(now + this.#most(now));
  }

  #most(now: number): number {
    return Math.min(...this.#all(now).map(({ most }) => most));
  }

  /** Both bounds, widened by the possible drift since. */
  #all(now: number): readonly Pick<Bounds, 'least' | 'most'>[] {
    return [this.#new, this.#old].flatMap((known) => {
      if (known === null) return [];
      const parted = Math.max(0, now - known.since) * drift;
      return [{ least: known.least - parted, most: known.most + parted }];
    });
  }
}
