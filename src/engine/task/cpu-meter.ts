/**
 * What tasks use that share the thread of their process.
 *
 * A task that gives its value on the spot had the thread to itself: the time of its call counts. Tasks that wait in between are under way side by
 * side, and nothing tells whose code runs: what the thread uses is shared out evenly among those that are under way. As in fair queueing one sum
 * is kept, of what each of them has got so far, and a task takes the difference between its end and its beginning. The thread is asked when tasks
 * begin or end, at most once in a few milliseconds, so that short tasks cost nothing.
 */
import { type Clock, systemClock } from '../../base/clock.ts';
import { threadCpuMs } from '../../base/thread-cpu.ts';
import type { TaskUsage } from '../../model/task-usage.ts';

/** Less is not recorded, ms: most tasks of a large run are shorter. */
export const leastCpuMs = 5;
/** How often the thread is asked at most. */
const askEveryMs = 5;
/** How often the memory of the process is looked at. */
const lookEveryMs = 250;

/** A task that is under way. */
export interface Metered {
  /** What each had got when it began. */
  readonly share: number;
  /** What it has used alone before it first waited, ms. */
  readonly heldMs: number;
  peakBytes: number;
}

export class CpuMeter {
  readonly #clock: Clock;
  readonly #cpuMs: () => number;
  readonly #underWay = new Set<Metered>();
  /** What each task under way has got so far, ms. */
  #share = 0;
  #lastCpuMs = 0;
  #lastBytes = 0;
  #askedAt = Number.NEGATIVE_INFINITY;
  #isLooking = false;

  constructor(clock: Clock = systemClock, cpuMs = threadCpuMs) {
    this.#clock = clock;
    this.#cpuMs = cpuMs;
  }

  /** For `heldSince`. */
  now(): number {
    return this.#clock.monotonic();
  }

  /** How long the thread was held since then, ms; those under way are not charged with it. */
  heldSince(begun: number): number {
    const heldMs = this.#clock.monotonic() - begun;
    if (heldMs >= leastCpuMs && this.#underWay.size > 0) this.#lastCpuMs += heldMs;
    return heldMs;
  }

  /** What a task has used that gave its value on the spot; null when it is too little to be kept. */
  usageOf(heldMs: number): TaskUsage | null {
    if (heldMs < leastCpuMs) return null;
    return { cpuMs: heldMs, peakBytes: this.#residentBytes(), scope: 'shared' };
  }

  /** A task goes on while others do. @param heldMs how long it has held the thread so far */
  enter(heldMs: number): Metered {
    this.#ask(this.#underWay.size === 0);
    const metered: Metered = { share: this.#share, heldMs, peakBytes: 0 };
    this.#underWay.add(metered);
    if (!this.#isLooking) this.#lookLater();
    return metered;
  }

  /** What it has used; null when it is too little to be kept. */
  leave(metered: Metered): TaskUsage | null {
    this.#ask(false);
    this.#underWay.delete(metered);
    const cpuMs = metered.heldMs + Math.max(0, this.#share - metered.share);
    if (cpuMs < leastCpuMs) return null;
    return { cpuMs, peakBytes: Math.max(metered.peakBytes, this.#residentBytes()), scope: 'shared' };
  }

  /** @param isFirst whether nobody is under way, to whom what was used until now could belong */
  #ask(isFirst: boolean): void {
    const now = this.#clock.monotonic();
    if (now - this.#askedAt < askEveryMs) return;
    this.#askedAt = now;
    const cpuMs = this.#cpuMs();
    if (!isFirst) this.#share += Math.max(0, cpuMs - this.#lastCpuMs) / Math.max(1, this.#underWay.size);
    // What was held alone may be ahead of the clock of the scheduler.
    this.#lastCpuMs = isFirst ? cpuMs : Math.max(this.#lastCpuMs, cpuMs);
  }

  /** Of the process; the last figure again where it cannot be read for the moment, which must cost no task its value. */
  #residentBytes(): number {
    try {
      this.#lastBytes = process.memoryUsage.rss();
    } catch {
      // For want of file descriptors, for example.
    }
    return this.#lastBytes;
  }

  #lookLater(): void {
    this.#isLooking = true;
    this.#clock.setTimer(lookEveryMs, () => this.#lookNow(), { unref: true });
  }

  #lookNow(): void {
    this.#isLooking = false;
    if (this.#underWay.size === 0) return;
    const bytes = this.#residentBytes();
    for (const metered of this.#underWay) if (bytes > metered.peakBytes) metered.peakBytes = bytes;
    this.#lookLater();
  }
}
