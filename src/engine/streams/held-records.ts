/** Which of the records that were put in a hop its taker still holds, and the marks that wait behind them. */
import type { Mark } from './positions.ts';

export class HeldRecords {
  /** Whether all are held until the taker has succeeded. */
  readonly #holdsAll: boolean;
  readonly #onMark: (mark: Mark) => void;
  readonly #marks: { readonly after: number; readonly mark: Mark }[] = [];
  #released = 0;
  #isDone = false;

  constructor(holdsAll: boolean, onMark: (mark: Mark) => void) {
    this.#holdsAll = holdsAll;
    this.#onMark = onMark;
  }

  /** Puts a mark behind the first `count` records. Of a taker that has left it waits for its success: another attempt may take what this one did not. */
  mark(mark: Mark, count: number, hasLeft: boolean): void {
    if (this.#released >= count && (!hasLeft || this.#isDone)) this.#onMark(mark);
    else this.#marks.push({ after: count, mark });
  }

  /** The first `count` records are held no longer. */
  release(count: number): void {
    if (this.#holdsAll && !this.#isDone) return;
    this.#released = count;
    if (this.#marks.length > 0) this.#pass(count);
  }

  /** The taker has succeeded: nothing is held any more. */
  end(): void {
    this.#isDone = true;
  }

  #pass(count: number): void {
    while ((this.#marks[0]?.after ?? Number.POSITIVE_INFINITY) <= count) {
      const first = this.#marks.shift();
      if (first) this.#onMark(first.mark);
    }
  }
}
