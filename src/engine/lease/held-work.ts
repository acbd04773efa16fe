/**
 * What a process holds, runs or spread task runs: each from the moment it is requested until it has ended here or was given back.
 *
 * On a crash all of it is lost with the process; the leases expire, and others continue from the record.
 */
import type { Clock } from '../../base/clock.ts';
import { BatutaError } from '../../base/errors.ts';

/** Something held. */
export interface Held {
  readonly id: string;
  readonly ended: Promise<unknown>;
  /** Stops at once, to be given back: another owner continues from what is recorded. */
  abandon(reason: BatutaError): void;
}

export class HeldWork<T extends Held> {
  /** By id; the latest, if one was lost and taken again. */
  readonly byId = new Map<string, T>();
  readonly #all = new Set<T>();
  readonly #starting = new Set<Promise<unknown>>();
  #isClosing = false;

  get isClosing(): boolean {
    return this.#isClosing;
  }

  /**
   * Counts what is being recorded or claimed, but not held yet.
   *
   * @throws BatutaError SHUTDOWN once it is closing, and what `begin` throws
   */
  async start<R>(begin: () => Promise<R>): Promise<R> {
    if (this.#isClosing) throw new BatutaError('SHUTDOWN', 'This process takes nothing new: it is shutting down.');
    const starting = begin();
    this.#starting.add(starting);
    try {
      return await starting;
    } finally {
      this.#starting.delete(starting);
    }
  }

  add(one: T): void {
    this.#all.add(one);
    this.byId.set(one.id, one);
  }

  remove(one: T): void {
    this.#all.delete(one);
    if (this.byId.get(one.id) === one) this.byId.delete(one.id);
  }

  /** Refuses new work, and returns all that is held once nothing is being started any more. */
  async close(onEach: (one: T) => void): Promise<readonly T[]> {
    this.#isClosing = true;
    for (const one of this.#all) onEach(one);
    while (this.#starting.size > 0) await Promise.allSettled(this.#starting);
    for (const one of this.#all) onEach(one);
    return [...this.#all];
  }

  /** Lets what is held finish until the deadline, then abandons the rest, and returns it once released. Takes nothing new from then on. */
  async handBack(clock: Clock, deadlineMs: number, reason: BatutaError): Promise<readonly T[]> {
    const deadline = new AbortController();
    const late = clock.sleep(deadlineMs, deadline.signal).catch(() => undefined);
    const finished = async (): Promise<void> => {
      while (this.#isBusy) await Promise.allSettled([...this.#starting, ...[...this.#all].map(({ ended }) => ended)]);
    };
    await Promise.race([finished(), late]);
    deadline.abort();
    this.#isClosing = true;
    const left = new Set<T>();
    while (this.#isBusy) {
      const now = [...this.#all];
      for (const one of now) {
        if (!left.has(one)) one.abandon(reason);
        left.add(one);
      }
      await Promise.allSettled([...this.#starting, ...now.map(({ ended }) => ended)]);
    }
    return [...left];
  }

  get #isBusy(): boolean {
    return this.#all.size > 0 || this.#starting.size > 0;
  }
}
