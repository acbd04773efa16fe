/**
 * Group commit: one recorder per store, one flush at a time.
 *
 * What is added joins the open batch. A flush starts in the next turn of the event loop, so that everything the same turn still adds is
 * included; meanwhile the next batch fills. A batch with only rows that may wait is held for `lingerMs`: the row of a short task is then
 * written once, with its end. A batch that has reached `maxBatchRows` is closed and queued, so that transactions stay short and other
 * processes get their turn.
 *
 * A failed flush rejects for everybody who waits for it, and the next one is tried all the same: space may have been freed meanwhile.
 * Waiting for locks and for a lost server is left to the connection (`writeBatch`).
 */
import { systemClock, type Timer } from '../base/clock.ts';
import { BatutaError } from '../base/errors.ts';
import type { Artifact, LogLine, Owner, RunPatch, TaskRun, Transition } from '../model/run.ts';
import type { ResourceUse } from '../model/resource-use.ts';
import { Batch } from './batch.ts';
import type { Connection } from './connection.ts';
import type { Claim, FlushReport, NewRun, Recorder } from './store.ts';

/** Rows after which a batch is closed. Larger ones gain nothing and hold the lock longer. */
const maxBatchRows = 1000;

/** How long rows that may wait are held for others. Longer would gain little: a longer task is written twice in any case. */
const lingerMs = 2;

export interface RecorderOptions {
  /** Called for every failed flush, in addition to its waiters. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

export class GroupCommitRecorder implements Recorder {
  readonly #connection: Connection;
  readonly #onError: ((error: unknown) => void) | undefined;
  readonly #fencedListeners: ((claim: Claim) => void)[] = [];
  #onFlush: ((report: FlushReport) => void) | null = null;
  /** Batches not yet durable, oldest first; only the last may be open. */
  readonly #queue: Batch[] = [];
  #open: Batch | null = null;
  #running = false;
  #closed = false;
  #turn: Promise<void> | null = null;
  /** The batch that has already waited for a turn: each waits for at most one, however many are requested. */
  #delayed: Batch | null = null;
  /** Set while the open batch, the only one, is held. */
  #linger: Timer | null = null;

  constructor(connection: Connection, options: RecorderOptions = {}) {
    this.#connection = connection;
    this.#onError = options.onError;
  }

  addRun(run: NewRun, owner: Owner, leaseMs: number): Promise<void> {
    const batch = this.#batch();
    batch.addRun(run, owner, leaseMs);
    return batch.settled;
  }

  addRunPatch(claim: Claim, patch: RunPatch, transition: Transition | null): Promise<void> {
    const batch = this.#batch();
    batch.addRunPatch(claim, patch, transition);
    return batch.settled;
  }

  addTaskRun(claim: Claim, row: TaskRun, transition: Transition | null, isNew = false, mayWait = false): Promise<void> {
    // A row already in a full batch does not make it larger; written twice, it would be one more.
    const batch = this.#open?.taskRuns.has(row.id) === true ? this.#open : this.#batch(mayWait);
    if (!mayWait) this.#hasten(batch);
    batch.addTaskRun(claim, row, transition, isNew);
    return batch.settled;
  }

  addArtifact(claim: Claim, artifact: Artifact): Promise<void> {
    const batch = this.#batch();
    batch.addArtifact(claim, artifact);
    return batch.settled;
  }

  addResourceUse(claim: Claim, use: ResourceUse): Promise<void> {
    const batch = this.#batch();
    batch.addResourceUse(claim, use);
    return batch.settled;
  }

  addLog(line: LogLine): Promise<void> {
    const batch = this.#batch();
    batch.logs.push(line);
    return batch.settled;
  }

  isOpen(written: Promise<void>): boolean {
    return this.#open !== null && this.#open.size < maxBatchRows && this.#open.settled === written;
  }

  nextTurn(): Promise<void> {
    this.#turn ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#turn = null;
        resolve();
      });
    });
    return this.#turn;
  }

  async flush(): Promise<void> {
    if (this.#open) this.#hasten(this.#open);
    await Promise.all(this.#queue.map((batch) => batch.settled));
  }

  onFenced(listener: (claim: Claim) => void): void {
    this.#fencedListeners.push(listener);
  }

  onFlush(listener: (report: FlushReport) => void): () => void {
    this.#onFlush = listener;
    return () => void (this.#onFlush = null);
  }

  /** Refuses new rows and waits until the rest is settled, whether it succeeded or not. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#open) this.#hasten(this.#open);
    await Promise.allSettled(this.#queue.map((batch) => batch.settled));
  }

  #batch(mayWait = false): Batch {
    const open = this.#open;
    if (open !== null && open.size < maxBatchRows) {
      if (!mayWait) this.#hasten(open);
      return open;
    }
    const batch = new Batch();
    if (this.#closed) {
      batch.reject(
        new BatutaError('STORE_UNAVAILABLE', `The database ${this.#connection.url} was closed; nothing more can be recorded in it.`),
      );
      return batch;
    }
    batch.mayWait = mayWait;
    this.#open = batch;
    this.#queue.push(batch);
    this.#wake();
    return batch;
  }

  /** Has it flushed as soon as its turn comes. */
  #hasten(batch: Batch): void {
    batch.mayWait = false;
    if (this.#linger === null) return;
    this.#linger.cancel();
    this.#linger = null;
    setImmediate(this.#flushNext);
  }

  #wake(): void {
    if (this.#running) return;
    this.#running = true;
    setImmediate(this.#flushNext);
  }

  readonly #flushNext = (): void => {
    const batch = this.#queue[0];
    if (batch === undefined) {
      this.#running = false;
      return;
    }
    if (this.#turn !== null && batch === this.#open && batch !== this.#delayed) {
      this.#delayed = batch;
      setImmediate(this.#flushNext);
      return;
    }
    if (batch.mayWait && batch === this.#open) {
      this.#linger = systemClock.setTimer(lingerMs, () => this.#hasten(batch));
      return;
    }
    if (batch === this.#open) this.#open = null;
    if (this.#onFlush !== null) this.#measure(batch, this.#onFlush);
    try {
      const refused = this.#connection.writeBatch(batch);
      // A dialect that writes within this turn needs no promise: every microsecond delays the run.
      if (refused instanceof Promise) {
        refused.then((claims) => this.#succeed(batch, claims)).catch((error: unknown) => this.#fail(batch, error));
        setImmediate(this.#prepareNext);
      } else this.#succeed(batch, refused);
    } catch (error) {
      this.#fail(batch, error);
    }
  };

  /** Prepares the next batch while the server works on this one; an open one may still change. */
  readonly #prepareNext = (): void => {
    const next = this.#queue[1];
    if (next !== undefined && next !== this.#open) this.#connection.prepareBatch?.(next);
  };

  #measure(batch: Batch, tell: (report: FlushReport) => void): void {
    const startedAt = systemClock.monotonic();
    const end = (ok: boolean): void => tell({ ok, ms: systemClock.monotonic() - startedAt, rows: batch.rows, bytes: batch.bytes });
    batch.settled.then(
      () => end(true),
      () => end(false),
    );
  }

  #succeed(batch: Batch, refused: readonly Claim[]): void {
    for (const claim of refused) for (const listener of this.#fencedListeners) listener(claim);
    batch.resolve();
    this.#next();
  }

  #fail(batch: Batch, error: unknown): void {
    batch.reject(error);
    this.#next();
    this.#onError?.(error);
  }

  #next(): void {
    this.#queue.shift();
    this.#delayed = null;
    if (this.#queue.length > 0) setImmediate(this.#flushNext);
    else this.#running = false;
  }
}
