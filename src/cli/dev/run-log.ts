/**
 * The log of runs in the process of `batuta dev`, placed among the news of runs: after the line that says a run is Running, which comes
 * slightly late, and before the one that says how it ended. Knows which errors the log has shown, so that none is printed twice.
 */
import type { Clock, Timer } from '../../base/clock.ts';
import type { Log, RunLine } from '../../base/log.ts';
import type { Failure } from '../../model/failure.ts';

/**
 * Time after which a line is printed without waiting for the news of its run, ms. Longer than the news take if no write is reported: 2 s
 * plus a tenth.
 */
const longestMs = 2_500;
const errorLevel = 50;
/** Most runs remembered. They are forgotten when they end, but may log something afterwards. */
const maxRuns = 1_000;
/** Most messages kept per run, the last ones. */
const maxMessages = 1_000;

/** What the log has shown of a failure: the error itself, only one of its causes, or nothing. */
export type Shown = 'whole' | 'cause' | 'nothing';

export class RunLog {
  readonly #clock: Clock;
  readonly #print: (text: string) => void;
  /** Texts of runs whose start was not printed yet. */
  readonly #held = new Map<string, { readonly texts: string[]; readonly timer: Timer }>();
  readonly #released = new Set<string>();
  /** Messages of lines with an error, by run. */
  readonly #errors = new Map<string, string[]>();
  #isClosed = false;

  constructor(clock: Clock, print: (text: string) => void) {
    this.#clock = clock;
    this.#print = print;
  }

  /** For `openLog`: prints a text, or holds it until the start of its run was printed. */
  readonly write = (text: string, runId: string | null): void => {
    if (runId === null || this.#isClosed || this.#released.has(runId)) {
      this.#print(text);
      return;
    }
    const held = this.#held.get(runId);
    if (held) held.texts.push(text);
    else this.#held.set(runId, { texts: [text], timer: this.#clock.setTimer(longestMs, () => this.release(runId)) });
  };

  /** Records the errors logged from now on. */
  follow(log: Log): void {
    log.onLine((line) => this.#note(line));
  }

  #note({ runId, level, fields, message }: RunLine): void {
    if (level < errorLevel || fields?.['err'] === undefined) return;
    const messages = this.#errors.get(runId) ?? [];
    messages.push(message);
    if (messages.length > maxMessages) messages.shift();
    this.#errors.set(runId, messages);
    dropOldest(this.#errors);
  }

  /** How much of a run's failure the log has shown. */
  shown(runId: string, failure: Failure): Shown {
    const messages = this.#errors.get(runId) ?? [];
    for (let one: Failure | null = failure; one !== null; one = one.cause) {
      const { message } = one;
      if (message !== '' && messages.some((text) => text.includes(message))) return one === failure ? 'whole' : 'cause';
    }
    return 'nothing';
  }

  /** Prints the held texts of a run; its later ones are printed at once. */
  release(runId: string): void {
    this.#released.add(runId);
    dropOldest(this.#released);
    const held = this.#held.get(runId);
    if (held === undefined) return;
    held.timer.cancel();
    this.#held.delete(runId);
    for (const text of held.texts) this.#print(text);
  }

  /** Forgets a run that has ended. */
  forget(runId: string): void {
    this.release(runId);
    this.#released.delete(runId);
    this.#errors.delete(runId);
  }

  /** Prints all held texts, and later ones at once. May be called twice. */
  readonly close = (): void => {
    this.#isClosed = true;
    for (const runId of [...this.#held.keys()]) this.release(runId);
  };
}

/** Keeps a map or set of runs within its limit. */
function dropOldest(runs: Map<string, unknown> | Set<string>): void {
  if (runs.size <= maxRuns) return;
  const [oldest] = runs.keys();
  if (oldest !== undefined) runs.delete(oldest);
}
