/** The requests for one key in this process: one leads, the others follow until it ends. */
import type { MadeEntry } from './cache-access.ts';

export class Flight {
  readonly #over: Promise<MadeEntry | null>;
  #end: (entry: MadeEntry | null) => void = () => undefined;
  readonly #followers = new Set<(makingRunId: string | null) => void>();
  /** Run that makes the value; undefined while only looked up. */
  #makingRunId: string | null | undefined = undefined;

  constructor() {
    this.#over = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /**
   * The entry; null if there is none yet and another should lead, or the signal aborted first.
   *
   * @param onWait called when a value is being made
   */
  async follow(signal: AbortSignal, onWait: (makingRunId: string | null) => void): Promise<{ readonly entry: MadeEntry } | null> {
    if (this.#makingRunId === undefined) this.#followers.add(onWait);
    else onWait(this.#makingRunId);
    const entry = await untilAborted(this.#over, signal);
    return entry === null ? null : { entry };
  }

  /** The value is being made: followers wait for that. */
  isMade(runId: string | null): void {
    this.#makingRunId = runId;
    for (const onWait of this.#followers) onWait(runId);
    this.#followers.clear();
  }

  end(entry: MadeEntry | null): void {
    this.#end(entry);
  }
}

/** The promise's value; null if the signal aborts first. */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | null> {
  if (signal.aborted) return null;
  let abort: () => void = () => undefined;
  const aborted = new Promise<null>((resolve) => {
    abort = () => resolve(null);
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
