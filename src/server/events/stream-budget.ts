/**
 * How many bytes may wait for all readers of events together. What one reader leaves unread is bounded by its stream.
 *
 * Streams that carry the same events share their bytes, so that what is held may be less than what waits. A burst of events waits for
 * every reader for a moment, also for those that read: while more waits than may, the budget looks again and again who has taken
 * something, and ends streams that have not, those that stand still the longest first, then those that hold the most.
 */
import type { Clock, Timer } from '../../base/clock.ts';

/** A stream as the budget sees it. */
export interface Waiting {
  /** Bytes that its reader has not taken yet. */
  readonly waitingBytes: number;
  /** Bytes that its reader has taken since it began. */
  readonly takenBytes: number;
  /** Ends it now and lets go of what waits for it. */
  cut(): void;
}

interface Noted {
  waiting: number;
  taken: number;
  /** Looks in a row at which it had taken nothing. */
  still: number;
}

/** Between two looks while more waits than may, ms. */
const lookMs = 25;
/** Looks at which a stream must have taken nothing before it is ended; a reader that is slow takes something meanwhile. */
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

  /** Bytes that are held for all streams; what they share counts once. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** To be called when bytes begin to wait for a stream. */
  hold(stream: Waiting, bytes: Uint8Array): void {
    const holders = this.#holders.get(bytes) ?? 0;
    this.#holders.set(bytes, holders + 1);
    if (holders === 0) this.#heldBytes += bytes.length;
    if (!this.#noted.has(stream)) this.#noted.set(stream, { waiting: 0, taken: stream.takenBytes, still: 0 });
    if (this.#heldBytes > this.#maxBytes) this.#end(() => this.#heldBytes > this.#maxBytes, 0);
    else if (this.#timer === null) this.#lookSoon();
  }

  /** To be called when they wait no more. */
  letGo(bytes: Uint8Array): void {
    const holders = this.#holders.get(bytes) ?? 0;
    if (holders > 1) this.#holders.set(bytes, holders - 1);
    else if (this.#holders.delete(bytes)) this.#heldBytes -= bytes.length;
  }

  /** To be called when a stream has ended. */
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

  /** Ends streams while it is too much, of those that have stood still for so many looks. */
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
