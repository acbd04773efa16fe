/**
 * A task's work in a transaction of the user's database, which takes effect once a task run, whoever executes it and however often.
 *
 * The record of the effect (run, key, result) commits with the work or not at all. Whoever comes later finds it and takes the recorded
 * result. Two at the same time, the second after the lease of the first was lost: one commits, the unique key refuses the other, who rolls
 * back and takes what the first has recorded. The record is written last, with the commit where the driver can, so that a process that is
 * frozen at work holds nobody up.
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
   * Whether somebody may have executed it before, whose record is looked for before the work is done. Else only the unique key tells: should
   * there be a record all the same, the work is undone.
   */
  readonly mayBeRepeated: boolean;
  /** Name of the task, for messages. */
  readonly task: string;
  /** Aborting rolls back, unless the transaction is being committed. */
  readonly signal: AbortSignal;
  /** The work; gives the result as it is recorded. */
  readonly work: (tx: Tx) => Promise<string | null>;
  /** Called when the transaction is about to commit: from then on what happens to the task has to wait for the outcome. */
  readonly onCommit?: () => Promise<void> | void;
}

export interface EffectOutcome extends RecordedEffect {
  /** Whether the result is that of an earlier execution; then the work was not done, or was undone. */
  readonly isEarlier: boolean;
}

/** How long a rollback is waited for. What is not rolled back by then never commits, for nobody says so any more. */
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
    // Taken after the abort was heard, a commit would be one nobody may wait for.
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

/** Whoever lost to another owner failed because of it: by the unique key, or earlier by what the other has written. */
async function takeEarlierOr<Tx>({ driver, key }: EffectCall<Tx>, error: unknown): Promise<EffectOutcome> {
  // A database that does not answer is what the work failed with already.
  const earlier = await findEffect(driver, driver.dialect, key).catch(() => null);
  if (earlier) return { ...earlier, isEarlier: true };
  throw error;
}

/**
 * Finds out how a commit ended that was not answered: an insert under the same key waits for a transaction that is still being
 * committed, is refused once it has, and goes through when it never will.
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

/** Waits for it within limits. */
async function undo(open: OpenTransaction<unknown>, isAborted: boolean): Promise<void> {
  await settledWithin(systemClock, rollbackWaitMs, open.rollback(isAborted));
}

/** A transaction that comes after the signal has aborted is rolled back as soon as it is there. */
async function begin<Tx>(driver: TransactionDriver<Tx>, stop: Stop): Promise<OpenTransaction<Tx>> {
  const beginning = driver.begin();
  try {
    return await stop.orGiven(beginning);
  } catch (error) {
    if (stop.isHeard) beginning.then((open) => open.rollback(false)).catch(() => undefined);
    throw error;
  }
}

/** What the promise gives, unless the signal aborts first: then its reason is thrown. */
export async function untilAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  const stop = new Stop(signal);
  try {
    return await stop.orGiven(promise);
  } finally {
    stop.forget();
  }
}

/** What is heard of a signal, by one listener however often it is waited for. */
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

  /** What the promise gives, unless the signal aborts first: then its reason is thrown. One at a time. */
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
