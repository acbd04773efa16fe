/** How many bytes may wait for all readers of events together. What one reader leaves unread is bounded by its stream. */

/** A stream as the budget sees it. */
export interface Waiting {
  /** Bytes that its reader has not taken yet. */
  readonly waitingBytes: number;
  /** Ends it now and lets go of what waits for it. */
  cut(): void;
}

/** Counts what waits, and cuts the streams that hold the most once it is too much. */
export class StreamBudget {
  readonly #maxBytes: number;
  readonly #noted = new Map<Waiting, number>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** To be called after each write. */
  note(stream: Waiting): void {
    this.#set(stream, stream.waitingBytes);
    if (this.#bytes <= this.#maxBytes) return;
    // What was read since the last write of a stream is not known before it is asked.
    for (const one of this.#noted.keys()) this.#set(one, one.waitingBytes);
    while (this.#bytes > this.#maxBytes) {
      const [largest] = [...this.#noted].reduce((most, one) => (one[1] > most[1] ? one : most));
      this.leave(largest);
      largest.cut();
    }
  }

  /** To be called when a stream has ended. */
  leave(stream: Waiting): void {
    this.#bytes -= this.#noted.get(stream) ?? 0;
    this.#noted.delete(stream);
  }

  #set(stream: Waiting, bytes: number): void {
    this.#bytes += bytes - (this.#noted.get(stream) ?? 0);
    this.#noted.set(stream, bytes);
  }
}
