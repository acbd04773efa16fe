/** Records in transit between tasks: how a source marks them, and how a helper says that it still holds some. */

/** A record with its place in its source, made by `at`. Tasks that take the stream receive only the record. */
export class Positioned<Row> {
  /** Place of the record in its source: plain data, recorded like results. */
  readonly position: unknown;
  readonly record: Row;

  constructor(position: unknown, record: Row) {
    this.position = position;
    this.record = record;
  }
}

/**
 * A record with its place in its source, to be yielded by the task that reads it: `yield at(offset, row)`.
 *
 * Once every task at the end of the stream took the record, its position is confirmed: recorded at most once a second and at the end, and
 * passed to the next attempt as `ctx.resumeFrom`.
 *
 * @param position anything that can be stored as a result: a number, a text, an object
 */
export function at<Row>(position: unknown, record: Row): Positioned<Row> {
  return new Positioned(position, record);
}

/** The record without its place, as takers receive it. */
export function recordOf(item: unknown): unknown {
  return item instanceof Positioned ? item.record : item;
}

/** A record as received by tasks that take the stream. */
export type RecordOf<Item> = 0 extends 1 & Item ? Item : Item extends Positioned<infer Row> ? Row : Item;

/** Names the method that reads a stream without releasing what was read. */
export const held: unique symbol = Symbol.for('batuta.streams.held');

/**
 * Reads a stream whose records count as taken only once released. In ordinary iteration, a record counts as taken when the next is
 * requested.
 */
export interface HeldReader<Row> {
  /** The next record; earlier ones are still held. */
  next(): Promise<IteratorResult<Row, undefined>>;
  /** Number of records read so far. */
  readonly read: number;
  /** Releases the first `count` records that were read. */
  release(count: number): void;
  /** No more are wanted. */
  return(): Promise<void>;
}

/** A stream with that method. */
export interface Holdable<Row> extends AsyncIterable<Row> {
  [held](): HeldReader<Row>;
}

/** Which tasks of a flow stream, and which run together. Null in a flow without streams. */
export interface StreamPlan {
  /** Tasks whose records others take on arrival. */
  readonly sources: ReadonlySet<string>;
  /** Tasks connected by streams, in graph order: started, retried and rerun together. */
  readonly segments: readonly (readonly string[])[];
}

/** Records between a task and one that takes them, by default. */
export const defaultBuffer = 256;
