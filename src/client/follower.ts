/**
 * Reads numbered rows as they appear, each once, even if lower numbers become visible after higher ones.
 *
 * On PostgreSQL a row gets its number when it is written, and becomes visible once its transaction ends. So what was read is settled only
 * when every writer active at that time has ended; until then, rows above the settled position are read again and known ones are skipped.
 * On SQLite writers are serialized, and everything is settled at once.
 */
import { type Clock, letOthersIn } from '../base/clock.ts';
import type { NumberedRows } from '../store/store.ts';

interface Numbered {
  readonly seq: number;
}

/** What had been read when, and the next writer expected then. */
interface Mark {
  readonly seq: number;
  readonly next: number;
  readonly at: number;
}

const pageRows = 1000;
/** A number is taken shortly before its writer is visible; marks younger than this wait, ms. */
const settleMs = 1000;
/** A writer that takes longer than this is not waited for: otherwise each poll would read more and more again, ms. */
const longestWriterMs = 60_000;

export class Follower<Row extends Numbered> {
  readonly #read: (after: number, limit: number) => Promise<NumberedRows<Row>>;
  readonly #clock: Clock;
  readonly #seen = new Set<number>();
  #marks: Mark[] = [];
  #settled: number;

  /** @param from rows up to this number are known */
  constructor(read: (after: number, limit: number) => Promise<NumberedRows<Row>>, clock: Clock, from: number) {
    this.#read = read;
    this.#clock = clock;
    this.#settled = from;
  }

  /** No row up to this number can appear any more; where a returning reader continues. */
  get settled(): number {
    return this.#settled;
  }

  /** Whether a row of this number was read, or cannot appear. */
  knows(seq: number): boolean {
    return seq <= this.#settled || this.#seen.has(seq);
  }

  /** Reads new rows since the last call page by page, in the order of the numbers as far as they are visible. */
  async *pages(): AsyncGenerator<readonly Row[]> {
    let after = this.#settled;
    for (;;) {
      const { rows, writers, hasMore } = await this.#read(after, pageRows);
      const fresh = rows.filter(({ seq }) => !this.#seen.has(seq));
      for (const { seq } of fresh) this.#seen.add(seq);
      const last = rows.at(-1);
      if (last !== undefined) {
        after = last.seq;
        this.#settle(last.seq, writers);
      }
      if (fresh.length > 0) yield fresh;
      if (!hasMore) return;
      // A store in this process answers within the turn; let others run.
      await letOthersIn();
    }
  }

  /** All new rows since the last call. */
  async next(): Promise<Row[]> {
    const all: Row[] = [];
    for await (const rows of this.pages()) all.push(...rows);
    return all;
  }

  /** Marks all current rows as known. */
  async skip(): Promise<void> {
    for await (const _ of this.pages());
  }

  #settle(seq: number, writers: NumberedRows<Row>['writers']): void {
    if (writers === null) {
      this.#settled = seq;
      this.#seen.clear();
      return;
    }
    const now = this.#clock.monotonic();
    const { oldest, next } = writers;
    const done = this.#marks.findLast(({ next: then, at }) => now - at >= (then <= oldest ? settleMs : longestWriterMs));
    if (done !== undefined) {
      this.#settled = done.seq;
      this.#marks = this.#marks.filter((mark) => mark.seq > done.seq);
      for (const known of this.#seen) if (known <= done.seq) this.#seen.delete(known);
    }
    if (seq > (this.#marks.at(-1)?.seq ?? this.#settled)) this.#marks.push({ seq, next, at: now });
  }
}
