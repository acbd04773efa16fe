/** One stream out of several, and several out of one. */
import { settledWithin, systemClock } from '../../base/clock.ts';
import { BatutaError } from '../../base/errors.ts';
import { held, type HeldReader, type Holdable } from '../../model/streams.ts';
import { checkCount } from './options.ts';
import { type Made, madeFrom, readerOf, type Records } from './reading.ts';

/** The records of all streams as they arrive, each stream in order. The first failure ends it. */
export function merge<Row>(...streams: Records<Row>[]): AsyncIterable<Row> {
  return madeFrom(streams, async function* (...readers): AsyncGenerator<Made<Row>, void, void> {
    const asked = new Map<HeldReader<Row>, Promise<Arrived<Row>>>();
    const ask = (reader: HeldReader<Row>): void => void asked.set(reader, arrivalOf(reader));
    for (const reader of readers) ask(reader);
    while (asked.size > 0) {
      const { reader, result } = await Promise.race(asked.values());
      asked.delete(reader);
      if (result.done) continue;
      yield { record: result.value, reader, until: reader.read };
      // Asked last, so that one that is always ready does not starve the others.
      ask(reader);
    }
  });
}

interface Arrived<Row> {
  readonly reader: HeldReader<Row>;
  readonly result: IteratorResult<Row, undefined>;
}

async function arrivalOf<Row>(reader: HeldReader<Row>): Promise<Arrived<Row>> {
  return { reader, result: await reader.next() };
}

/**
 * The same records several times, for code that reads them in several ways at the same time: the one furthest ahead waits once it is
 * `buffer` records ahead of another. Reading one to its end before the other begins would never end with more records: it fails after 30
 * seconds without the other.
 *
 * @param count of streams, default 2
 * @param buffer records, default 256
 * @throws BatutaError OPTION_INVALID; on reading STREAM_DEADLOCK
 */
export function tee<Row>(records: Records<Row>, count = 2, buffer = 256): AsyncIterable<Row>[] {
  checkCount('tee', 'count', count);
  checkCount('tee', 'buffer', buffer);
  const shared = new Shared(records, buffer);
  return Array.from({ length: count }, () => shared.branch());
}

/** How long a reader waits for one that has not begun, ms. */
const unreadMs = 30_000;

function deadlockOf(unread: number, buffer: number): BatutaError {
  return new BatutaError(
    'STREAM_DEADLOCK',
    `Stream ${unread + 1} of a tee is not read, so its full buffer blocks the others: it holds ${buffer} records. Read all of them at the same time (Promise.all), or give tee() a buffer that holds all records.`,
    { details: { unread: unread + 1, buffer } },
  );
}

class Shared<Row> {
  readonly #records: Records<Row>;
  readonly #buffer: number;
  readonly #branches: Branch<Row>[] = [];
  #reader: HeldReader<Row> | null = null;
  #asking: Promise<void> | null = null;
  #moved: (() => void)[] = [];

  constructor(records: Records<Row>, buffer: number) {
    this.#records = records;
    this.#buffer = buffer;
  }

  branch(): Branch<Row> {
    const branch = new Branch(this);
    this.#branches.push(branch);
    return branch;
  }

  /** Resolves once the branch has something new or has ended. */
  async more(branch: Branch<Row>): Promise<void> {
    while (branch.isEmpty && this.#branches.some((other) => other.isBehind(this.#buffer))) {
      const moved = new Promise<void>((resolve) => void this.#moved.push(resolve));
      const unread = this.#branches.findIndex((other) => !other.isBegun && other.isBehind(this.#buffer));
      if (unread < 0) await moved;
      else if (!(await settledWithin(systemClock, unreadMs, moved)) && !this.#branches[unread]?.isBegun)
        throw deadlockOf(unread, this.#buffer);
    }
    if (branch.isEmpty) await (this.#asking ??= this.#ask());
  }

  async #ask(): Promise<void> {
    try {
      this.#reader ??= readerOf(this.#records);
      const result = await this.#reader.next();
      for (const branch of this.#branches) branch.put(result);
    } finally {
      this.#asking = null;
    }
  }

  /** A branch took records, holds fewer, or wants no more. */
  moved(): void {
    const least = Math.min(...this.#branches.map((branch) => branch.released));
    if (Number.isFinite(least)) this.#reader?.release(least);
    const moved = this.#moved;
    this.#moved = [];
    for (const resolve of moved) resolve();
    if (this.#branches.every((branch) => branch.isLeft)) void this.#reader?.return();
  }
}

class Branch<Row> implements Holdable<Row>, HeldReader<Row> {
  readonly #shared: Shared<Row>;
  readonly #waiting: IteratorResult<Row, undefined>[] = [];
  released = 0;
  read = 0;
  isLeft = false;
  isBegun = false;

  constructor(shared: Shared<Row>) {
    this.#shared = shared;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0 && !this.isLeft;
  }

  isBehind(records: number): boolean {
    return this.#waiting.length >= records;
  }

  put(result: IteratorResult<Row, undefined>): void {
    if (!this.isLeft) this.#waiting.push(result);
  }

  async next(): Promise<IteratorResult<Row, undefined>> {
    this.isBegun = true;
    while (this.isEmpty) await this.#shared.more(this);
    // The end stays for later reads.
    const [first] = this.#waiting;
    if (first === undefined || first.done) return { value: undefined, done: true };
    this.#waiting.shift();
    this.read++;
    this.#shared.moved();
    return first;
  }

  release(count: number): void {
    this.released = count;
    this.#shared.moved();
  }

  async return(): Promise<void> {
    if (this.isLeft) return;
    this.isLeft = true;
    this.released = Number.POSITIVE_INFINITY;
    this.#waiting.length = 0;
    this.#shared.moved();
  }

  [held](): HeldReader<Row> {
    return this;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Row, void, void> {
    try {
      for (let next = await this.next(); !next.done; next = await this.next()) {
        yield next.value;
        this.release(this.read);
      }
    } finally {
      await this.return();
    }
  }
}
