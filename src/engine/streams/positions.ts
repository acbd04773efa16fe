/**
 * How far a source's records have been processed.
 *
 * A mark follows the records before it through the stream: it passes a hop once the taker holds none of them any more, and goes behind
 * those that the taker made of them. Once past every task at the end of the stream, its position is confirmed. Not every position has a
 * mark: one is made when none is pending, and every so many records.
 */

/** Records between two marks while others are pending. */
const recordsPerMark = 128;

/** A position in transit. */
export interface Mark {
  readonly position: unknown;
  /** Hops it still has to pass. */
  pending: number;
  readonly positions: SourcePositions;
}

/** Where marks can be put. */
interface Marked {
  mark(mark: Mark): void;
}

/** The positions of one source in one attempt. */
export class SourcePositions {
  readonly #hops: readonly Marked[];
  readonly #open: Mark[] = [];
  #latest: { readonly position: unknown } | null = null;
  #sinceMark = 0;
  /** The last position before which every record was taken; null if there is none. */
  confirmed: { readonly position: unknown } | null = null;

  /** @param hops from the source to the takers of its records */
  constructor(hops: readonly Marked[]) {
    this.#hops = hops;
  }

  /** Notes the position of a record that was put in all hops. */
  note(position: unknown): void {
    this.#latest = { position };
    this.#sinceMark++;
    if (this.#open.length === 0 || this.#sinceMark >= recordsPerMark) this.#mark();
  }

  /** A mark has passed a hop to a task that streams to `onward`; none if the stream ends. */
  passed(mark: Mark, onward: readonly Marked[]): void {
    mark.pending += onward.length - 1;
    for (const hop of onward) hop.mark(mark);
    if (mark.pending > 0) return;
    while (this.#open[0]?.pending === 0) this.confirmed = { position: this.#open.shift()?.position };
    // What came while the mark was pending.
    if (this.#open.length === 0 && this.#sinceMark > 0) this.#mark();
  }

  #mark(): void {
    if (this.#latest === null) return;
    const mark: Mark = { position: this.#latest.position, pending: this.#hops.length, positions: this };
    this.#sinceMark = 0;
    this.#open.push(mark);
    for (const hop of this.#hops) hop.mark(mark);
  }
}
