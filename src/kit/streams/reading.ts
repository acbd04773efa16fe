/** How helpers read a stream: anything iterable, if possible without releasing what they still hold. */
import { BatutaError } from '../../base/errors.ts';
import { recordInvalid } from './input.ts';
import { held, type HeldReader, type Holdable } from '../../model/streams.ts';

/** Input of the helpers: a task's stream, another helper's output, a list. */
export type Records<Row> = AsyncIterable<Row> | Iterable<Row>;

/** A reader of any of them. If records cannot be held, releasing them does nothing. @throws BatutaError OPTION_INVALID */
export function readerOf<Row>(records: Records<Row>): HeldReader<Row> {
  if (typeof records !== 'object' || records === null || !(Symbol.asyncIterator in records || Symbol.iterator in records))
    throw new BatutaError('OPTION_INVALID', `A helper of batuta/streams takes a stream or a list, not ${shownType(records)}.`);
  if (held in records) return (records as Holdable<Row>)[held]();
  return new PlainReader(Symbol.asyncIterator in records ? records[Symbol.asyncIterator]() : records[Symbol.iterator]());
}

/** @throws BatutaError RECORD_INVALID for a record without fields to write */
export function checkRecord(target: string, row: unknown, record: number): void {
  if (typeof row !== 'object' || row === null) throw recordInvalid(target, { record }, `is ${shownType(row)}, not an object`);
}

function shownType(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

class PlainReader<Row> implements HeldReader<Row> {
  readonly #iterator: AsyncIterator<Row> | Iterator<Row>;
  read = 0;

  constructor(iterator: AsyncIterator<Row> | Iterator<Row>) {
    this.#iterator = iterator;
  }

  async next(): Promise<IteratorResult<Row, undefined>> {
    const result = await this.#iterator.next();
    if (result.done) return { value: undefined, done: true };
    this.read++;
    return { value: result.value, done: false };
  }

  release(): void {}

  async return(): Promise<void> {
    await this.#iterator.return?.();
  }
}

/** A record yielded by a helper, and what it releases then. */
export interface Made<Row> {
  readonly record: Row;
  /** Which input it releases, and how many of its records. */
  readonly reader: HeldReader<unknown>;
  readonly until: number;
}

/**
 * A stream derived from others. Their records are held until the taker has requested the one after the last they went into; so a chain of
 * helpers holds what its taker has not finished with.
 *
 * @param make its records in order, from a reader of each input
 */
export function madeFrom<Row, Out>(
  inputs: readonly Records<Row>[],
  make: (...readers: HeldReader<Row>[]) => AsyncGenerator<Made<Out>, void, void>,
): AsyncIterable<Out> {
  return new MadeStream(inputs, make);
}

class MadeStream<Row, Out> implements Holdable<Out> {
  readonly #inputs: readonly Records<Row>[];
  readonly #make: (...readers: HeldReader<Row>[]) => AsyncGenerator<Made<Out>, void, void>;

  constructor(inputs: readonly Records<Row>[], make: (...readers: HeldReader<Row>[]) => AsyncGenerator<Made<Out>, void, void>) {
    this.#inputs = inputs;
    this.#make = make;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Out, void, void> {
    const readers = this.#inputs.map(readerOf);
    try {
      for await (const { record, reader, until } of this.#make(...readers)) {
        yield record;
        reader.release(until);
      }
      for (const reader of readers) reader.release(reader.read);
    } finally {
      await Promise.all(readers.map((reader) => reader.return()));
    }
  }

  [held](): HeldReader<Out> {
    return new MadeReader(this.#inputs.map(readerOf), this.#make);
  }
}

class MadeReader<Row, Out> implements HeldReader<Out> {
  readonly #readers: readonly HeldReader<Row>[];
  readonly #made: AsyncGenerator<Made<Out>, void, void>;
  /** Those read and not released, in order. */
  #open: Made<Out>[] = [];
  #released = 0;
  #isOver = false;
  read = 0;

  constructor(readers: readonly HeldReader<Row>[], make: (...readers: HeldReader<Row>[]) => AsyncGenerator<Made<Out>, void, void>) {
    this.#readers = readers;
    this.#made = make(...readers);
  }

  async next(): Promise<IteratorResult<Out, undefined>> {
    const { value, done } = await this.#made.next();
    if (done) {
      this.#isOver = true;
      this.#releaseRest();
      return { value: undefined, done: true };
    }
    this.#open.push(value);
    this.read++;
    return { value: value.record, done: false };
  }

  release(count: number): void {
    const passed = this.#open.splice(0, Math.max(0, count - this.#released));
    this.#released += passed.length;
    for (const { reader, until } of passed) reader.release(until);
    if (this.#isOver) this.#releaseRest();
  }

  async return(): Promise<void> {
    await this.#made.return();
    await Promise.all(this.#readers.map((reader) => reader.return()));
  }

  /** What went into no record, once the others are released. */
  #releaseRest(): void {
    if (this.#open.length === 0) for (const reader of this.#readers) reader.release(reader.read);
  }
}
