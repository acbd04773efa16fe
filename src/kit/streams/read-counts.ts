/** What a task of a stream passes over as it reads, counted as metrics of the task: `parseErrors` and `skipped`. */
import { systemClock } from '../../base/clock.ts';
import type { TaskContext } from '../../model/context.ts';
import { currentScope, type RunScope } from '../../model/run-context.ts';

/** `parseErrors`: lines and records that could not be read. `skipped`: empty lines, comments, records that `filter` leaves out. */
type ReadCount = 'parseErrors' | 'skipped';

/** How often a count is handed on while it grows: millions are passed over in a moment, and a thread sends each as a message. */
const everyMs = 250;

/** A count of the task whose code makes it; of code that runs in no task nothing is counted. */
export class ReadCounter {
  readonly #name: ReadCount;
  /** Of that task: what goes on later may run elsewhere. */
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

  /** Hands on what is left; nothing once the attempt has ended, which takes no more. To be called at the end; may be called twice. */
  handOn(): void {
    if (this.#pending > 0 && this.#scope?.isOver !== true) this.#metrics?.add?.(this.#name, this.#pending);
    this.#pending = 0;
  }
}

/** Counts one record that ends its stream because it could not be read, and gives its error. */
export function countedError<E>(error: E): E {
  new ReadCounter('parseErrors').add();
  return error;
}
