/**
 * Bounds the bytes waiting for all event readers together. The backlog of one reader is bounded by its stream.
 *
 * Streams with the same events share their bytes, so less may be held than waits. A burst of events briefly waits for every reader,
 * including active ones: while too much waits, the budget keeps checking who has taken something, and ends streams that have not, first
 * those stalled longest, then those that hold most.
 */
import type { Clock, Timer } from '../../base/clock.ts';

/** A stream as seen by the budget. */
export interface Waiting {
  /** Bytes its reader has not taken yet. */
  readonly waitingBytes: number;
  /** Bytes its reader has taken in total. */
  readonly takenBytes: number;
  /** Ends it now and frees its backlog. */
  cut(): void;
}

interface Noted {
  waiting: number;
  taken: number;
  /** Consecutive checks without any bytes taken. */
  still: number;
}

/** Between two checks while anything waits, ms. */
const lookMs = 25;
/** Checks at which a stream must have taken nothing before it is ended; a slow reader takes something in between. */
const stillLooks = 8;

export class StreamBudget {
  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #noted = new Map<Waiting, Noted>();
  readonly #holders = new Map<Uint8Array, number>();
  #heldBytes = 0;
  #timer: Timer | null = null;

  constructor(clock: Clock, maxBytes: number) {
    this.#clock = clock;
    this.#maxBytes = maxBytes;
  }

  /** Bytes held for all streams; shared ones count once. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Call when bytes begin to wait for a stream. */
  hold(stream: Waiting, bytes: Uint8Array): void {
    const holders = this.#holders.get(bytes) ?? 0;
    this.#holders.set(bytes, holders + 1);
    if (holders === 0) this.#heldBytes += bytes.length;
    if (!this.#noted.has(stream)) this.#noted.set(stream, { waiting: 0, taken: stream.takenBytes, still: 0 });
    if (this.#heldBytes > this.#maxBytes) this.#end(() => this.#heldBytes > this.#maxBytes, 0);
    else if (this.#timer === null) this.#lookSoon();
  }

  /** Call when they no longer wait. */
  letGo(bytes: Uint8Array): void {
    const holders = this.#holders.get(bytes) ?? 0;
    if (holders > 1) this.#holders.set(bytes, holders - 1);
    else if (this.#holders.delete(bytes)) this.#heldBytes -= bytes.length;
  }

  /** Call when a stream has ended. */
  leave(stream: Waiting): void {
    this.#noted.delete(stream);
  }

  #lookSoon(): void {
    this.#timer = this.#clock.setTimer(lookMs, () => this.#look(), { unref: true });
  }

  #look(): void {
    this.#timer = null;
    for (const [stream, noted] of this.#noted) {
      const { takenBytes, waitingBytes } = stream;
      noted.still = takenBytes > noted.taken ? 0 : noted.still + 1;
      noted.taken = takenBytes;
      noted.waiting = waitingBytes;
      if (waitingBytes === 0) this.#noted.delete(stream);
    }
    const waits = (): number => [...this.#noted.values()].reduce((sum, { waiting }) => sum + waiting, 0);
    this.#end(() => waits() > this.#maxBytes, stillLooks);
    if (this.#noted.size > 0) this.#lookSoon();
  }

  /** Ends streams while it is too much, only those stalled for this many checks. */
  #end(isTooMuch: () => boolean, leastStill: number): void {
    const worst = [...this.#noted]
      .filter(([, { still }]) => still >= leastStill)
      .toSorted(([one, a], [other, b]) => b.still - a.still || other.waitingBytes - one.waitingBytes);
    for (const [stream] of worst) {
      if (!isTooMuch()) return;
      stream.cut();
    }
  }
}
