/**
 * A task's work in a transaction of the user's database, which takes effect once per task run, whoever executes it and however often.
 *
 * The record of the effect (run, key, result) commits with the work or not at all. A later execution finds it and takes the recorded
 * result. Of two at the same time (the second after the first lost its lease), one commits; the unique key refuses the other, which rolls
 * back and takes the recorded result. The record is written last, with the commit if the driver can, so that a process
 * frozen while working blocks nobody.
 *
 * States: begun → working → committing → committed. Before `committing` an abort of the signal rolls back; from there on the outcome is
 * awaited. Killed at any point, the database rolls back what had not committed.
 */
import { systemClock, settledWithin } from '../base/clock.ts';
import { BatutaError } from '../base/errors.ts';
import { type OpenTransaction, runWithin, type TransactionDriver } from './driver.ts';
import { cleanEffects, type EffectKey, ensureTable, findEffect, insertOf, type RecordedEffect } from './effects-table.ts';

export interface EffectCall<Tx> {
  readonly driver: TransactionDriver<Tx>;
  readonly key: EffectKey;
  /**
   * Whether it may have been executed before; then the record is looked up before the work. Otherwise only the unique key detects
   * a record, and the work is rolled back.
   */
  readonly mayBeRepeated: boolean;
  /** Name of the task, for messages. */
  readonly task: string;
  /** Aborting rolls back, unless the transaction is being committed. */
  readonly signal: AbortSignal;
  /** The work; returns the result as recorded. */
  readonly work: (tx: Tx) => Promise<string | null>;
  /** Called when the transaction is about to commit: from then on the end of the task has to wait for the outcome. */
  readonly onCommit?: () => Promise<void> | void;
}

export interface EffectOutcome extends RecordedEffect {
  /** Whether the result is that of an earlier execution; then the work was not done, or was rolled back. */
  readonly isEarlier: boolean;
}

/** Longest wait for a rollback, ms. A transaction not rolled back by then never commits, as nobody commits it any more. */
const rollbackWaitMs = 5_000;

/**
 * Does the work once.
 *
 * @throws what the work throws, the reason of the signal; BatutaError EFFECTS_UNAVAILABLE, EFFECT_NOT_RECORDED
 */
export async function runOnce<Tx>(call: EffectCall<Tx>): Promise<EffectOutcome> {
  const stop = new Stop(call.signal);
  try {
    return await runUnlessStopped(call, stop);
  } finally {
    stop.forget();
  }
}

async function runUnlessStopped<Tx>(call: EffectCall<Tx>, stop: Stop): Promise<EffectOutcome> {
  const { driver, key, signal } = call;
  const making = ensureTable(driver);
  if (making) await stop.orGiven(making);
  const cleaning = cleanEffects(driver);
  if (cleaning) await stop.orGiven(cleaning);
  signal.throwIfAborted();
  const open = await begin(driver, stop);
  let result: string | null;
  try {
    const earlier = call.mayBeRepeated ? await stop.orGiven(findEffect(open, driver.dialect, key)) : null;
    if (earlier) {
      await undo(open, false);
      return { ...earlier, isEarlier: true };
    }
    result = await stop.orGiven(runWithin(driver, () => call.work(open.tx)));
    if (!open.commitWith) await stop.orGiven(recordWithin(open, call, result));
    // After the abort was seen, nobody may wait for a commit.
    signal.throwIfAborted();
  } catch (error) {
    await undo(open, signal.aborted);
    if (signal.aborted) throw signal.reason;
    return await takeEarlierOr(call, error);
  }
  const held = call.onCommit?.();
  if (held) await held;
  try {
    await (open.commitWith ? open.commitWith(...insertOf(driver.dialect, key, result)) : open.commit());
    return { result, isEarlier: false };
  } catch (error) {
    await undo(open, false);
    return await settleCommit(call, error);
  }
}

async function recordWithin<Tx>(open: OpenTransaction<Tx>, { driver, key, task }: EffectCall<Tx>, result: string | null): Promise<void> {
  try {
    await open.query(...insertOf(driver.dialect, key, result));
  } catch (cause) {
    throw new BatutaError(
      'EFFECT_NOT_RECORDED',
      `The effect of task ${task} could not be recorded in its transaction, which was rolled back: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause, details: { task } },
    );
  }
}

/** An execution that lost to another owner failed because of it: by the unique key, or earlier by the other's writes. */
async function takeEarlierOr<Tx>({ driver, key }: EffectCall<Tx>, error: unknown): Promise<EffectOutcome> {
  // If the database does not answer, the work has already failed with that.
  const earlier = await findEffect(driver, driver.dialect, key).catch(() => null);
  if (earlier) return { ...earlier, isEarlier: true };
  throw error;
}

/**
 * Finds out how an unanswered commit ended: an insert under the same key waits while the transaction is still being
 * committed, is refused once it has, and succeeds if it never will.
 */
async function settleCommit<Tx>(call: EffectCall<Tx>, cause: unknown): Promise<EffectOutcome> {
  const { driver, key, task } = call;
  const open = await driver.begin().catch(() => null);
  if (open !== null) {
    const isFree = await open.query(...insertOf(driver.dialect, key, null)).then(
      () => true,
      () => false,
    );
    await undo(open, false);
    if (!isFree) return await takeEarlierOr(call, cause);
  }
  throw new BatutaError(
    'EFFECT_NOT_RECORDED',
    `The transaction of task ${task} was not committed: ${cause instanceof Error ? cause.message : String(cause)}`,
    { cause, details: { task } },
  );
}

/** Rolls back, waiting for a limited time. */
async function undo(open: OpenTransaction<unknown>, isAborted: boolean): Promise<void> {
  await settledWithin(systemClock, rollbackWaitMs, open.rollback(isAborted));
}

/** A transaction that begins after the signal has aborted is rolled back at once. */
async function begin<Tx>(driver: TransactionDriver<Tx>, stop: Stop): Promise<OpenTransaction<Tx>> {
  const beginning = driver.begin();
  try {
    return await stop.orGiven(beginning);
  } catch (error) {
    if (stop.isHeard) beginning.then((open) => open.rollback(false)).catch(() => undefined);
    throw error;
  }
}

/** The promise's value, unless the signal aborts first: then its reason is thrown. */
export async function untilAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  const stop = new Stop(signal);
  try {
    return await stop.orGiven(promise);
  } finally {
    stop.forget();
  }
}

/** Watches a signal with one listener, however often it is awaited. */
class Stop {
  readonly #signal: AbortSignal;
  #refuse: ((reason: unknown) => void) | null = null;
  #isHeard = false;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    if (signal.aborted) this.#isHeard = true;
    else signal.addEventListener('abort', this.#hear, { once: true });
  }

  get isHeard(): boolean {
    return this.#isHeard;
  }

  /** The promise's value, unless the signal aborts first: then its reason is thrown. One at a time. */
  orGiven<T>(promise: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#isHeard) reject(this.#signal.reason);
      this.#refuse = reject;
      promise.then(resolve, reject);
    });
  }

  forget(): void {
    this.#signal.removeEventListener('abort', this.#hear);
  }

  readonly #hear = (): void => {
    this.#isHeard = true;
    this.#refuse?.(this.#signal.reason);
  };
}
