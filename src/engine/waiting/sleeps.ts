/**
 * The waits of a run for an instant, of which there may be very many.
 *
 * Each could listen to the signal that ends it, but adding a listener costs as much as there are others. Waits that become due at the same
 * time, or are stopped together, end a few per turn of the event loop, or the process would do nothing else meanwhile.
 */
import type { Clock, Timer } from '../../base/clock.ts';

/** Waits that end in one turn. */
const endsPerTurn = 200;

interface Sleep {
  timer: Timer | null;
  readonly end: () => void;
}

export class Sleeps {
  readonly #resting = new Map<AbortSignal, Set<Sleep>>();
  /** Waits that are over and whose turn has not come, from `#next` on. */
  #over: Sleep[] = [];
  #next = 0;
  #endedInTurn = 0;

  /** Resolves after `ms` milliseconds, or when the signal aborts. */
  until(clock: Pick<Clock, 'setTimer'>, ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    const resting = this.#restingUnder(signal);
    return new Promise((resolve) => {
      const rest: Sleep = { timer: null, end: resolve };
      resting.add(rest);
      rest.timer = clock.setTimer(ms, () => {
        resting.delete(rest);
        this.#end(rest);
      });
    });
  }

  /** One listener for all of them. */
  #restingUnder(signal: AbortSignal): Set<Sleep> {
    const known = this.#resting.get(signal);
    if (known) return known;
    const resting = new Set<Sleep>();
    this.#resting.set(signal, resting);
    const stop = (): void => {
      for (const rest of resting) {
        rest.timer?.cancel();
        this.#end(rest);
      }
      resting.clear();
      this.#resting.delete(signal);
    };
    signal.addEventListener('abort', stop, { once: true });
    return resting;
  }

  #end(rest: Sleep): void {
    if (this.#endedInTurn === endsPerTurn) {
      this.#over.push(rest);
      return;
    }
    if (this.#endedInTurn++ === 0) setImmediate(this.#nextTurn);
    rest.end();
  }

  readonly #nextTurn = (): void => {
    this.#endedInTurn = 0;
    for (let place = 0; place < endsPerTurn && this.#next < this.#over.length; place++) {
      const rest = this.#over[this.#next++];
      if (this.#endedInTurn++ === 0) setImmediate(this.#nextTurn);
      rest?.end();
    }
    if (this.#next < this.#over.length) return;
    this.#over = [];
    this.#next = 0;
  };
}
