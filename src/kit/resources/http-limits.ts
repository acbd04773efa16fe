/** Limits on requests to one host: concurrency, and number within a time. */
import { type Clock, systemClock } from '../../base/clock.ts';

export interface HostLimits {
  /** Most requests in progress. */
  readonly concurrency: number;
  /** Most requests that begin within `perMs`; null for unlimited. */
  readonly rate: { readonly limit: number; readonly perMs: number } | null;
}

/** Starts requests to one host as its limits allow, in the order requested. */
export class HostGate {
  readonly #limits: HostLimits;
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  /** When the last requests began, oldest first; no more than the rate allows. */
  readonly #begun: number[] = [];
  #underWay = 0;
  /** No request begins earlier, as the host asked. */
  #closedUntil = Number.NEGATIVE_INFINITY;

  constructor(limits: HostLimits, clock: Clock = systemClock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Resolves once a request may begin; free the place with `leave`. @throws the reason of the signal */
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

  /** Lets none begin for a time. */
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
