/** Limits on the requests to one host: how many at the same time, and how many in a time. */
import { type Clock, systemClock } from '../../base/clock.ts';

export interface HostLimits {
  /** Most requests under way at the same time. */
  readonly concurrency: number;
  /** Most requests that begin within `perMs`; null for any number. */
  readonly rate: { readonly limit: number; readonly perMs: number } | null;
}

/** Lets requests to one host begin as its limits allow, in the order in which they were asked for. */
export class HostGate {
  readonly #limits: HostLimits;
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  /** When the last requests began, the oldest first; no more than the rate allows. */
  readonly #begun: number[] = [];
  #underWay = 0;
  /** No request begins before: the host has asked for it. */
  #closedUntil = Number.NEGATIVE_INFINITY;

  constructor(limits: HostLimits, clock: Clock = systemClock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Resolves once a request may begin; give the place back with `leave`. @throws the reason of the signal */
  async enter(signal: AbortSignal): Promise<void> {
    await this.#place(signal);
    try {
      for (let waitMs = this.#waitMs(); waitMs > 0; waitMs = this.#waitMs()) await this.#clock.sleep(waitMs, signal);
      signal.throwIfAborted();
    } catch (error) {
      this.leave();
      throw error;
    }
    const { rate } = this.#limits;
    if (rate === null) return;
    this.#begun.push(this.#clock.monotonic());
    if (this.#begun.length > rate.limit) this.#begun.shift();
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#underWay -= 1;
  }

  /** Lets none begin for a while. */
  closeFor(ms: number): void {
    this.#closedUntil = Math.max(this.#closedUntil, this.#clock.monotonic() + ms);
  }

  async #place(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#underWay < this.#limits.concurrency) {
      this.#underWay += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener('abort', give);
        resolve();
      };
      const give = (): void => {
        const at = this.#waiting.indexOf(enter);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(signal.reason);
      };
      this.#waiting.push(enter);
      signal.addEventListener('abort', give, { once: true });
    });
  }

  #waitMs(): number {
    const now = this.#clock.monotonic();
    const { rate } = this.#limits;
    const first = rate !== null && this.#begun.length >= rate.limit ? this.#begun[0] : undefined;
    const free = rate === null || first === undefined ? 0 : first + rate.perMs - now;
    return Math.ceil(Math.max(free, this.#closedUntil - now));
  }
}
