/**
 * What runs log in the process of `batuta dev`, put in its place among the news of runs: after the line that says a run is Running, which comes
 * a moment after the fact, and before the one that says how it ended. Knows which errors the log has shown, so that none is printed twice.
 */
import type { Clock, Timer } from '../../base/clock.ts';
import type { Log, RunLine } from '../../base/log.ts';
import type { Failure } from '../../model/failure.ts';

/** What is logged this long before the news of its run is printed without it, ms. */
const longestMs = 1_000;
const errorLevel = 50;

export class RunLog {
  readonly #clock: Clock;
  readonly #print: (text: string) => void;
  /** Of runs whose start was not printed yet. */
  readonly #held = new Map<string, { readonly texts: string[]; readonly timer: Timer }>();
  readonly #released = new Set<string>();
  /** Messages of lines with an error, by run. */
  readonly #errors = new Map<string, string[]>();

  constructor(clock: Clock, print: (text: string) => void) {
    this.#clock = clock;
    this.#print = print;
  }

  /** For `openLog`: prints a text, or holds it while nobody has heard that its run has begun. */
  readonly write = (text: string, runId: string | null): void => {
    if (runId === null || this.#released.has(runId)) {
      this.#print(text);
      return;
    }
    const held = this.#held.get(runId);
    if (held) held.texts.push(text);
    else this.#held.set(runId, { texts: [text], timer: this.#clock.setTimer(longestMs, () => this.release(runId)) });
  };

  /** Notes the errors that are logged from now on. */
  follow(log: Log): void {
    log.onLine((line) => this.#note(line));
  }

  #note({ runId, level, fields, message }: RunLine): void {
    if (level < errorLevel || fields?.['err'] === undefined) return;
    const messages = this.#errors.get(runId);
    if (messages) messages.push(message);
    else this.#errors.set(runId, [message]);
  }

  /** Whether the log has shown a failure of a run, or what it was caused by. */
  hasShown(runId: string, failure: Failure): boolean {
    const shown = this.#errors.get(runId) ?? [];
    for (let one: Failure | null = failure; one !== null; one = one.cause) {
      const { message } = one;
      if (message !== '' && shown.some((text) => text.includes(message))) return true;
    }
    return false;
  }

  /** Prints what was held of a run; what it logs from now on is printed at once. */
  release(runId: string): void {
    this.#released.add(runId);
    const held = this.#held.get(runId);
    if (held === undefined) return;
    held.timer.cancel();
    this.#held.delete(runId);
    for (const text of held.texts) this.#print(text);
  }

  /** Keeps nothing more of a run that has ended. */
  forget(runId: string): void {
    this.release(runId);
    this.#released.delete(runId);
    this.#errors.delete(runId);
  }

  /** Prints all that is held. */
  close(): void {
    for (const runId of [...this.#held.keys()]) this.release(runId);
  }
}
