/**
 * The guests of a process: running ones, and idle threads that are kept warm for a while.
 *
 * A process executes one task and ends. Threads are kept by memory limit; if there are already as many as allowed, the longest idle one
 * makes room for one of another kind.
 */
import { type Clock, settledWithin, type Timer } from '../../base/clock.ts';
import type { Guest, GuestEnd, GuestKind } from './guest.ts';
import { byteSize } from '../../base/byte-size.ts';
import { BatutaError } from '../../base/errors.ts';

/** What a task needs from its guest. */
export interface GuestNeed {
  readonly kind: GuestKind;
  /** Its memory limit, bytes; null for no limit of its own. */
  readonly memoryBytes: number | null;
}

interface Idle {
  readonly guest: Guest;
  readonly need: GuestNeed;
  readonly timer: Timer;
}

/** How long an idle thread is kept. */
const idleMs = 30_000;
/** How long to wait for the end of a guest, which first gets time to close what it has open. */
const endMs = 15_000;

export class GuestPool {
  readonly #start: (need: GuestNeed) => Guest;
  readonly #maxThreads: number;
  readonly #clock: Clock;
  /** Longest idle first. */
  #idle: Idle[] = [];
  /** All that have not ended. */
  readonly #guests = new Set<Guest>();

  constructor(start: (need: GuestNeed) => Guest, maxThreads: number, clock: Clock) {
    this.#start = start;
    this.#maxThreads = maxThreads;
    this.#clock = clock;
  }

  /** A guest for one task: a warm one if possible. */
  take(need: GuestNeed): Guest {
    const at = this.#idle.findLastIndex(
      ({ guest, need: its }) => its.kind === need.kind && its.memoryBytes === need.memoryBytes && !guest.isEnding,
    );
    const warm = at === -1 ? undefined : this.#idle.splice(at, 1)[0];
    warm?.timer.cancel();
    if (!warm && need.kind === 'thread') this.#makeRoom();
    const guest = warm?.guest ?? this.#begin(need);
    guest.hold(true);
    return guest;
  }

  /** Takes back a guest whose task ended cleanly enough for another. */
  keep(guest: Guest, need: GuestNeed): void {
    guest.listener = null;
    if (guest.isEnding) return;
    guest.hold(false);
    const timer = this.#clock.setTimer(idleMs, () => this.#retire(guest), { unref: true });
    this.#idle.push({ guest, need, timer });
  }

  /**
   * Lets all of them close what they have open, and ends them.
   *
   * @returns those that did not end in time, because their code cannot be interrupted
   */
  async close(): Promise<readonly Guest[]> {
    for (const { timer } of this.#idle) timer.cancel();
    this.#idle = [];
    await Promise.all([...this.#guests].map((guest) => settledWithin(this.#clock, endMs, guest.close())));
    return [...this.#guests];
  }

  #begin(need: GuestNeed): Guest {
    const guest = this.#start(need);
    this.#guests.add(guest);
    void guest.ended.then(() => {
      this.#guests.delete(guest);
      this.#forget(guest);
    });
    return guest;
  }

  #makeRoom(): void {
    const threads = [...this.#guests].filter(({ kind, isEnding }) => kind === 'thread' && !isEnding);
    const [longest] = this.#idle;
    if (threads.length >= this.#maxThreads && longest) this.#retire(longest.guest);
  }

  #retire(guest: Guest): void {
    this.#forget(guest);
    void guest.close();
  }

  #forget(guest: Guest): void {
    this.#idle = this.#idle.filter((idle) => {
      if (idle.guest === guest) idle.timer.cancel();
      return idle.guest !== guest;
    });
  }
}

/** TASK_OUT_OF_MEMORY or ISOLATE_ENDED, with the known details. */
export function guestFailure(task: { readonly name: string }, { kind, memoryBytes }: GuestNeed, end: GuestEnd): BatutaError {
  const { isOutOfMemory, peakBytes, how, error } = end;
  const details = { task: task.name, isolate: kind, memoryBytes, peakBytes };
  const cause = error === undefined ? {} : { cause: error };
  if (!isOutOfMemory)
    return new BatutaError('ISOLATE_ENDED', `The ${kind} of task ${task.name} ended before the task did: ${how}.`, {
      details: { ...details, how },
      ...cause,
    });
  const limit = memoryBytes === null ? 'what Node.js gives it' : `its limit of ${byteSize(memoryBytes)}`;
  const most = peakBytes === null ? '' : `, at ${byteSize(peakBytes)}`;
  return new BatutaError(
    'TASK_OUT_OF_MEMORY',
    `Task ${task.name} used more memory than its ${kind} may have: ${limit}${most}. Give it more by the option memory, or less to do at a time.`,
    { details, ...cause },
  );
}
