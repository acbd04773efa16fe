/**
 * The records between a task that streams and a task that takes them.
 *
 * They are handed over in chunks: the giver fills one while the taker works through another, so that a record costs neither of them a turn
 * of the event loop. A chunk that is not full is handed over on the next turn. Both together never hold more than the buffer.
 */
import { BatutaError } from '../../base/errors.ts';
import { held, type HeldReader, type Holdable } from '../../model/streams.ts';
import { over, type Result, type Waiting, waitingForOne } from './hop-waiting.ts';
import type { Mark } from './positions.ts';

/** Records taken between two turns of the event loop, so that timers, leases and sockets get theirs. */
const recordsPerTurn = 2_048;

export interface HopOptions {
  readonly from: string;
  readonly to: string;
  /** Maximum number of records, at least 1. */
  readonly buffer: number;
  /** Whether records read are held until their taker has succeeded, since its transaction commits only then. */
  readonly holdsAll: boolean;
  /** Called with each mark once the records before it are released. */
  readonly onMark: (mark: Mark) => void;
  /** Called when one side begins (1) and ends (-1) to wait for the other. */
  readonly onWait: (side: 'from' | 'to', by: 1 | -1) => void;
}

export class Hop implements Holdable<unknown>, AsyncIterator<unknown, undefined> {
  readonly from: string;
  readonly to: string;
  readonly buffer: number;
  readonly #chunk: number;
  readonly #onMark: (mark: Mark) => void;
  readonly #onWait: HopOptions['onWait'];
  readonly #holdsAll: boolean;
  #filling: unknown[] = [];
  #fillingPositions: unknown[] = [];
  #taking: unknown[] = [];
  #takingPositions: unknown[] = [];
  #next = 0;
  /** Whether any record of the chunk being taken has a position. */
  #arePositioned = false;
  #pushed = 0;
  #read = 0;
  #released = 0;
  #isRead = false;
  #isEnded = false;
  #isDone = false;
  #failure: { readonly error: unknown } | null = null;
  #isDetached = false;
  #waiting: Waiting | null = null;
  #room: (() => void) | null = null;
  #isFlushAsked = false;
  #sinceTurn = 0;
  #marks: { readonly after: number; readonly mark: Mark }[] = [];
  /** Position of the record that was read last; undefined if it has none. */
  position: unknown = undefined;

  constructor({ from, to, buffer, holdsAll, onMark, onWait }: HopOptions) {
    this.#holdsAll = holdsAll;
    this.from = from;
    this.to = to;
    this.buffer = buffer;
    this.#onWait = onWait;
    this.#chunk = Math.max(1, Math.floor(buffer / 2));
    this.#onMark = onMark;
  }

  /**
   * Puts a record in; call `whenRoom` first. Once the taker wants no more, it is dropped.
   *
   * @returns whether another may follow at once; if not, check `hasRoom` and `isDetached`
   */
  push(record: unknown, position: unknown): boolean {
    if (this.#isDetached) return false;
    if (position !== undefined) this.#fillingPositions[this.#filling.length] = position;
    const count = this.#filling.push(record);
    this.#pushed++;
    if (this.#waiting !== null && !this.#isFlushAsked) this.#askFlush();
    return count < this.#chunk && this.#failure === null;
  }

  /** Whether a record may be put in, or is not needed. */
  get hasRoom(): boolean {
    return this.#filling.length < this.#chunk || this.#isDetached || this.#failure !== null;
  }

  /** Resolves once `hasRoom`. */
  whenRoom(): Promise<void> {
    return new Promise((resolve) => {
      if (this.hasRoom) resolve();
      else {
        this.#onWait('from', 1);
        this.#room = resolve;
      }
    });
  }

  /**
   * Puts a mark behind the records so far. If the taker has left, the mark waits for its success: another attempt may take what this one
   * did not.
   */
  mark(mark: Mark): void {
    if (this.#released >= this.#pushed && (!this.#isDetached || this.#isDone)) this.#onMark(mark);
    else this.#marks.push({ after: this.#pushed, mark });
  }

  /** No more records come. */
  end(): void {
    this.#isEnded = true;
    if (this.#waiting !== null && !this.#isFlushAsked) this.#askFlush();
  }

  /** Stops both sides: the taker gets the error, and the records in between are dropped. */
  fail(error: unknown): void {
    if (this.#failure !== null) return;
    this.#failure = { error };
    this.#drop();
    this.#served()?.reject(error);
  }

  /** Whether the taker wants no more. */
  get isDetached(): boolean {
    return this.#isDetached;
  }

  /** Number of records read. */
  get read(): number {
    return this.#read;
  }

  /** Whether its taker has begun to read. */
  get isBegun(): boolean {
    return this.#isRead;
  }

  /** Grows with each record that is put in or taken. */
  get moved(): number {
    return this.#pushed + this.#read;
  }

  get giverWaits(): boolean {
    return this.#room !== null;
  }

  get takerWaits(): boolean {
    return this.#waiting !== null;
  }

  /** The taker wants no more. It still holds what it has read, until it has succeeded. */
  detach(): void {
    if (this.#isDetached) return;
    this.#isDetached = true;
    this.#drop();
    this.#served()?.resolve(over);
  }

  /**
   * The taker has succeeded: it holds nothing any more. If the stream has failed, nothing is released: a taker that ends despite that was
   * not given every record, and may have held some of those it was given.
   */
  releaseAll(): void {
    this.#isDone = true;
    this.detach();
    if (this.#failure === null) this.#release(Number.POSITIVE_INFINITY);
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown, undefined> {
    this.#beginReading();
    return this;
  }

  [held](): HeldReader<unknown> {
    this.#beginReading();
    const read = (): number => this.#read;
    return {
      get read() {
        return read();
      },
      next: () => this.#pull(),
      release: (count) => this.#release(count),
      return: async () => this.detach(),
    };
  }

  /** The next record; those before it are released. */
  next(): Promise<Result> {
    if (this.#marks.length > 0) this.#release(this.#read);
    else if (!this.#holdsAll) this.#released = this.#read;
    return this.#next < this.#taking.length ? Promise.resolve(this.#take()) : this.#pull();
  }

  async return(): Promise<Result> {
    this.detach();
    return over;
  }

  #beginReading(): void {
    if (this.#isRead)
      throw new BatutaError(
        'STREAM_MISUSED',
        `Task ${this.to} reads the records of ${this.from} a second time, but a stream passes once. Use tee() of batuta/streams, or read it in another task too.`,
        { details: { task: this.to, from: this.from } },
      );
    this.#isRead = true;
  }

  #pull(): Promise<Result> {
    if (this.#next < this.#taking.length) return Promise.resolve(this.#take());
    if (this.#failure !== null) return Promise.reject(this.#failure.error);
    if (this.#isDetached) return Promise.resolve(over);
    // Several records were requested at once.
    if (this.#waiting !== null) return this.#waiting.promise.then(() => this.#pull());
    if (this.#filling.length > 0 && this.#sinceTurn < recordsPerTurn) {
      this.#swap();
      return Promise.resolve(this.#take());
    }
    if (this.#filling.length === 0 && this.#isEnded) return Promise.resolve(over);
    const waiting = waitingForOne();
    this.#waiting = waiting;
    this.#onWait('to', 1);
    if (this.#filling.length > 0) this.#askFlush();
    return waiting.promise;
  }

  #take(): Result {
    const at = this.#next++;
    this.#read++;
    if (this.#arePositioned) this.position = this.#takingPositions[at];
    return { value: this.#taking[at], done: false };
  }

  /** The taker continues with the filled chunk, and the giver with an empty one. */
  #swap(): void {
    this.#taking = this.#filling;
    this.#filling = [];
    this.#takingPositions = this.#fillingPositions;
    this.#arePositioned = this.#fillingPositions.length > 0;
    if (this.#arePositioned) this.#fillingPositions = [];
    else this.position = undefined;
    this.#next = 0;
    this.#sinceTurn += this.#taking.length;
    this.#giveRoom();
  }

  #askFlush(): void {
    if (this.#isFlushAsked) return;
    this.#isFlushAsked = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#isFlushAsked = false;
    this.#sinceTurn = 0;
    if (this.#waiting === null) return;
    if (this.#filling.length > 0) {
      const waiting = this.#served();
      this.#swap();
      waiting?.resolve(this.#take());
    } else if (this.#isEnded) this.#served()?.resolve(over);
  }

  /** The taker that waited, if any. */
  #served(): Waiting | null {
    const waiting = this.#waiting;
    if (waiting === null) return null;
    this.#waiting = null;
    this.#onWait('to', -1);
    return waiting;
  }

  #release(count: number): void {
    if (this.#holdsAll && !this.#isDone) return;
    this.#released = count;
    while (this.#marks.length > 0 && (this.#marks[0]?.after ?? 0) <= count) {
      const first = this.#marks.shift();
      if (first) this.#onMark(first.mark);
    }
  }

  #drop(): void {
    this.#filling = [];
    this.#fillingPositions = [];
    this.#taking = [];
    this.#next = 0;
    this.#giveRoom();
  }

  #giveRoom(): void {
    const room = this.#room;
    if (room === null) return;
    this.#room = null;
    this.#onWait('from', -1);
    room();
  }
}
