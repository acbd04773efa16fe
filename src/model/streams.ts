/** Records on their way between tasks: what a source marks them with, and how a helper tells that it still holds some back. */

/** A record with its place in its source, made by `at`. The tasks that take the stream are given the record alone. */
export class Positioned<Row> {
  /** Place of the record in its source: plain data, recorded as results are. */
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
 * Once every task at the end of the stream has taken the record, its position is confirmed: recorded at most once a second and at the end, and
 * given to the next attempt as `ctx.resumeFrom`.
 *
 * @param position anything that can be stored as a result: a number, a text, an object
 */
export function at<Row>(position: unknown, record: Row): Positioned<Row> {
  return new Positioned(position, record);
}

/** A record as those who take the stream are given it. */
export type RecordOf<Item> = 0 extends 1 & Item ? Item : Item extends Positioned<infer Row> ? Row : Item;

/** Names the method by which a stream is read without giving up what was read before. */
export const held: unique symbol = Symbol.for('batuta.streams.held');

/**
 * Reads a stream whose records count as taken only once that is said. Iterated as usual, a record counts as taken when the next is asked for.
 */
export interface HeldReader<Row> {
  /** The next record; those before it are still held. */
  next(): Promise<IteratorResult<Row, undefined>>;
  /** How many records were read so far. */
  readonly read: number;
  /** The first `count` records that were read are held no longer. */
  release(count: number): void;
  /** No more are wanted. */
  return(): Promise<void>;
}

/** A stream that can be read so. */
export interface Holdable<Row> extends AsyncIterable<Row> {
  [held](): HeldReader<Row>;
}

/** Which tasks of a flow stream, and which of them go on together. Null in a flow without streams. */
export interface StreamPlan {
  /** Tasks whose records others take as they come. */
  readonly sources: ReadonlySet<string>;
  /** Tasks that are connected by streams, in the order of the graph: started, retried and run again together. */
  readonly segments: readonly (readonly string[])[];
}

/** Records between a task and one that takes them, where the task does not say otherwise. */
export const defaultBuffer = 256;
