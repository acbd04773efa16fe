/**
 * A clock on which waiting costs nothing: when only waiting is left, time jumps to the next timer that is due.
 *
 * Code that is actually executing (a running task) stops time; a task that waits by `clock.sleep` does not.
 */
import type { Clock, Timer } from '../base/clock.ts';
import { type Duration, parseDuration } from '../base/duration.ts';
import { currentScope } from '../model/run-context.ts';

interface Due {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
}

/** Turns of the event loop without a change after which only waiting is left. */
const idleTurns = 3;

export class FakeClock implements Clock {
  #now: number;
  #elapsed = 0;
  #order = 0;
  readonly #due = new Set<Due>();
  /** Task runs currently executing user code. */
  readonly #busy = new Set<string>();
  /** Number of waits on this clock per task run. */
  readonly #waits = new Map<string, number>();
  #looking = false;

  /**
   * @param start initial time: a date, UTC epoch ms, or a date as text; default 2026-01-01T00:00:00Z.
   * @throws RangeError if it is not a date.
   */
  constructor(start: Date | number | string = Date.UTC(2026, 0, 1)) {
    this.#now = new Date(start).getTime();
    if (Number.isNaN(this.#now)) throw new RangeError(`A clock cannot start at ${String(start)}: that is not a date.`);
  }

  now(): number {
    return Math.round(this.#now);
  }

  monotonic(): number {
    return this.#elapsed;
  }

  /** Virtual milliseconds passed since it was created. */
  get elapsedMs(): number {
    return this.#elapsed;
  }

  setTimer(ms: number, fire: () => void): Timer {
    const due = { at: this.#now + Math.max(0, ms), order: this.#order++, fire };
    this.#due.add(due);
    this.#look();
    return { cancel: () => void this.#due.delete(due) };
  }

  /** Waits in virtual time. @param ms milliseconds or a duration such as `'2m'` */
  sleep(ms: Duration, signal?: AbortSignal): Promise<void> {
    const waiter = currentScope()?.taskRunId ?? null;
    return new Promise((resolve, reject) => {
      const end = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', abort);
        if (waiter !== null) this.countWait(waiter, -1);
      };
      const abort = (): void => {
        end();
        reject(signal?.reason);
      };
      const timer = this.setTimer(parseDuration(ms), () => {
        end();
        resolve();
      });
      if (waiter !== null) this.countWait(waiter, 1);
      if (signal?.aborted) abort();
      else signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** Advances time manually, firing timers in order; code that waits for them runs in between. */
  async advance(by: Duration): Promise<void> {
    const until = this.#now + parseDuration(by);
    for (let next = this.#next(); next && next.at <= until; next = this.#next()) {
      this.#fire(next);
      await turns(idleTurns);
    }
    this.#elapsed += until - this.#now;
    this.#now = until;
  }

  /** Sets whether a task run executes user code, which stops time. */
  setBusy(taskRunId: string, busy: boolean): void {
    if (busy) this.#busy.add(taskRunId);
    else this.#busy.delete(taskRunId);
    this.#look();
  }

  /** Counts the waits of a task run: while it waits it does not stop time. */
  countWait(taskRunId: string, by: 1 | -1): void {
    this.#waits.set(taskRunId, (this.#waits.get(taskRunId) ?? 0) + by);
    this.#look();
  }

  #isIdle(): boolean {
    return [...this.#busy].every((id) => (this.#waits.get(id) ?? 0) > 0);
  }

  /** Checks, after pending code has had its turns, whether only waiting is left. */
  #look(): void {
    if (this.#looking) return;
    this.#looking = true;
    void turns(idleTurns).then(() => {
      this.#looking = false;
      const next = this.#next();
      if (!next || !this.#isIdle()) return;
      this.#fire(next);
      this.#look();
    });
  }

  #next(): Due | undefined {
    let first: Due | undefined;
    for (const due of this.#due) if (!first || due.at < first.at || (due.at === first.at && due.order < first.order)) first = due;
    return first;
  }

  #fire(due: Due): void {
    this.#due.delete(due);
    this.#elapsed += Math.max(0, due.at - this.#now);
    this.#now = Math.max(this.#now, due.at);
    due.fire();
  }
}

/** A clock for tests. @param start a date, UTC epoch ms, or a date as text; default 2026-01-01T00:00:00Z */
export function fakeClock(start?: Date | number | string): FakeClock {
  return new FakeClock(start);
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
