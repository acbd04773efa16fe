/**
 * Ctrl-C while a run is running: the first cancels, the second leaves at once.
 *
 * SIGTERM counts the same. "At once" still leaves a moment for recording, so that nothing stays Running; a third signal does
 * not even wait for that.
 */
import type { Clock } from '../base/clock.ts';
import type { ExitStatus } from './context.ts';

/** Longest wait for recording after the second signal, ms. */
const lastWordsMs = 1_000;
const signals = ['SIGINT', 'SIGTERM'] as const;

export interface InterruptOptions {
  readonly clock: Clock;
  /** Called on the first signal, after `signal` has aborted. */
  readonly onFirst: () => void;
  /** Called on the second: records what it can, as fast as it can. */
  readonly onSecond: () => Promise<void>;
}

export class Interrupt {
  readonly #options: InterruptOptions;
  readonly #controller = new AbortController();
  readonly #listener = (signal: NodeJS.Signals): void => this.#take(signal);
  #count = 0;
  #status: ExitStatus | null = null;

  /** Starts to listen. */
  constructor(options: InterruptOptions) {
    this.#options = options;
    for (const signal of signals) process.on(signal, this.#listener);
  }

  /** Aborts on the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** 130 or 143 once a signal was received, else null. */
  get status(): ExitStatus | null {
    return this.#status;
  }

  /** Stops listening. May be called twice. */
  stop(): void {
    for (const signal of signals) process.off(signal, this.#listener);
  }

  #take(signal: NodeJS.Signals): void {
    this.#count++;
    const status = signal === 'SIGTERM' ? 143 : 130;
    this.#status = status;
    if (this.#count === 1) {
      this.#controller.abort();
      this.#options.onFirst();
    } else if (this.#count === 2) void this.#leave(status);
    else process.exit(status);
  }

  async #leave(status: number): Promise<void> {
    const deadline = this.#options.clock.sleep(lastWordsMs);
    await Promise.race([this.#options.onSecond(), deadline]).catch(() => undefined);
    process.exit(status);
  }
}
