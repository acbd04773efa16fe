/** What a streaming task skips as it reads, counted as metrics of the task: `parseErrors` and `skipped`. */
import { systemClock } from '../../base/clock.ts';
import type { TaskContext } from '../../model/context.ts';
import { currentScope, type RunScope } from '../../model/run-context.ts';

/** `parseErrors`: lines and records that could not be read. `skipped`: empty lines, comments, records that `filter` leaves out. */
type ReadCount = 'parseErrors' | 'skipped';

/** How often a growing count is reported: millions are skipped in a moment, and a thread sends each as a message. */
const everyMs = 250;

/** A count of the calling code's task; outside tasks nothing is counted. */
export class ReadCounter {
  readonly #name: ReadCount;
  /** Of that task: later code may run elsewhere. */
  readonly #scope: RunScope | undefined;
  readonly #metrics: Partial<TaskContext['metrics']> | undefined;
  #pending = 0;
  #handedOnAt = Number.NEGATIVE_INFINITY;

  constructor(name: ReadCount) {
    this.#name = name;
    this.#scope = currentScope();
    this.#metrics = (this.#scope?.context as Partial<TaskContext> | undefined)?.metrics;
  }

  add(count = 1): void {
    this.#pending += count;
    const now = systemClock.monotonic();
    if (now - this.#handedOnAt < everyMs) return;
    this.#handedOnAt = now;
    this.handOn();
  }

  /** Reports what is left; nothing once the attempt has ended, as it takes no more. Call at the end; may be called twice. */
  handOn(): void {
    if (this.#pending > 0 && this.#scope?.isOver !== true) this.#metrics?.add?.(this.#name, this.#pending);
    this.#pending = 0;
  }
}

/** Counts one unreadable record that ends its stream, and returns its error. */
export function countedError<E>(error: E): E {
  new ReadCounter('parseErrors').add();
  return error;
}
