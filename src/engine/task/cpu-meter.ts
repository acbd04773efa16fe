/**
 * What tasks that share the thread of their process use.
 *
 * A task that returns synchronously had the thread to itself: the time of its call counts. Tasks that await run side by side, and nothing
 * shows whose code is running: the thread's usage is split evenly among the running tasks. As in fair queueing, one running sum is kept of
 * each task's share so far, and a task gets the difference between its end and its beginning. The thread is sampled when tasks begin or
 * end, at most once every few milliseconds, so that short tasks cost nothing.
 */
import { type Clock, systemClock } from '../../base/clock.ts';
import { threadCpuMs } from '../../base/thread-cpu.ts';
import type { TaskUsage } from '../../model/task-usage.ts';

/** Less is not recorded, ms: most tasks of a large run are shorter. */
export const leastCpuMs = 5;
/** Minimum interval between samples, ms. */
const askEveryMs = 5;
/** Interval between memory samples, ms. */
const lookEveryMs = 250;

/** A running task. */
export interface Metered {
  /** The share of each when it began. */
  readonly share: number;
  /** What it used alone before it first waited, ms. */
  readonly heldMs: number;
  peakBytes: number;
}

export class CpuMeter {
  readonly #clock: Clock;
  readonly #cpuMs: () => number;
  readonly #underWay = new Set<Metered>();
  /** The share of each running task so far, ms. */
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

  /** How long the thread was held since then, ms; running tasks are not charged for it. */
  heldSince(begun: number): number {
    const heldMs = this.#clock.monotonic() - begun;
    if (heldMs >= leastCpuMs && this.#underWay.size > 0) this.#lastCpuMs += heldMs;
    return heldMs;
  }

  /** The usage of a task that returned synchronously; null if too small to record. */
  usageOf(heldMs: number): TaskUsage | null {
    if (heldMs < leastCpuMs) return null;
    return { cpuMs: heldMs, peakBytes: this.#residentBytes(), scope: 'shared' };
  }

  /** A task continues alongside others. @param heldMs how long it has held the thread so far */
  enter(heldMs: number): Metered {
    this.#ask(this.#underWay.size === 0);
    const metered: Metered = { share: this.#share, heldMs, peakBytes: 0 };
    this.#underWay.add(metered);
    if (!this.#isLooking) this.#lookLater();
    return metered;
  }

  /** What it has used; null if too small to record. */
  leave(metered: Metered): TaskUsage | null {
    this.#ask(false);
    this.#underWay.delete(metered);
    const cpuMs = metered.heldMs + Math.max(0, this.#share - metered.share);
    if (cpuMs < leastCpuMs) return null;
    return { cpuMs, peakBytes: Math.max(metered.peakBytes, this.#residentBytes()), scope: 'shared' };
  }

  /** @param isFirst whether no task is running that earlier usage could belong to */
  #ask(isFirst: boolean): void {
    const now = this.#clock.monotonic();
    if (now - this.#askedAt < askEveryMs) return;
    this.#askedAt = now;
    const cpuMs = this.#cpuMs();
    if (!isFirst) this.#share += Math.max(0, cpuMs - this.#lastCpuMs) / Math.max(1, this.#underWay.size);
    // Exclusive usage may be ahead of the scheduler's clock.
    this.#lastCpuMs = isFirst ? cpuMs : Math.max(this.#lastCpuMs, cpuMs);
  }

  /** Of the process; if it cannot be read, the last value, as that must cost no task its result. */
  #residentBytes(): number {
    try {
      this.#lastBytes = process.memoryUsage.rss();
    } catch {
      // For example, no file descriptors are left.
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
