/** The only file that reads time. */
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

/** A timer that was set and can be taken back. */
export interface Timer {
  /** Takes the timer back; harmless when it has fired or was taken back before. */
  cancel(): void;
}

/**
 * Source of time. Wall clock for what is stored, monotonic for what is measured.
 *
 * A test passes its own clock to make hours pass at once.
 */
export interface Clock {
  /** Wall clock, UTC epoch milliseconds, whole. */
  now(): number;
  /** Monotonic milliseconds with fraction; only differences mean something. */
  monotonic(): number;
  /** Calls `fire` once after `ms` milliseconds (0 to years). The timer keeps no process alive when `unref` is set. */
  setTimer(ms: number, fire: () => void, options?: { readonly unref?: boolean }): Timer;
  /** Resolves after `ms` milliseconds; rejects with the reason of `signal` when that aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Of a clock for tests: a task run begins (1) or ends (-1) to wait for another, which is no work that time has to stand still for. */
  countWait?(taskRunId: string, by: 1 | -1): void;
}

/** Longest delay that Node's own timer takes (2^31 - 1 ms, 24.8 days); longer ones are split. */
const maxTimerMs = 2 ** 31 - 1;

/** The real clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(ms, fire, options = {}) {
    let handle: NodeJS.Timeout;
    const arm = (restMs: number): void => {
      handle = setTimeout(() => (restMs > maxTimerMs ? arm(restMs - maxTimerMs) : fire()), Math.min(restMs, maxTimerMs));
      if (options.unref) handle.unref();
    };
    arm(Math.max(0, ms));
    return { cancel: () => clearTimeout(handle) };
  },
  async sleep(ms, signal) {
    for (let restMs = Math.max(0, ms); ; restMs -= maxTimerMs) {
      try {
        await delay(Math.min(restMs, maxTimerMs), undefined, signal ? { signal } : undefined);
      } catch (error) {
        throw signal?.aborted ? signal.reason : error;
      }
      if (restMs <= maxTimerMs) return;
    }
  },
};

/** For how long the event loop of this thread was busy so far, ms. */
export function loopBusyMs(): number {
  return performance.eventLoopUtilization().active;
}

/** Waits until `promise` has settled, one way or the other, but no longer than `ms`. True when it has. Never rejects. */
export async function settledWithin(clock: Clock, ms: number, promise: Promise<unknown>): Promise<boolean> {
  return await new Promise<boolean>((resolve) => {
    const timer = clock.setTimer(ms, () => resolve(false));
    const settle = (): void => {
      timer.cancel();
      resolve(true);
    };
    promise.then(settle, settle);
  });
}

/** Resolves in a later turn of the event loop, so that requests, timers and leases get theirs within long work. */
export function letOthersIn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Measures how late the event loop turns, from `attend` to `rest`: measuring wakes the process. */
export interface EventLoopWatch {
  /** Measures from now on; nothing when it does already. */
  attend(): void;
  /** Measures no more, until it is to attend again. */
  rest(): void;
  /** The longest time it was held up while it was watched since the last call. */
  takeLongestLag(): Lag;
}

/** A time for which the event loop did not come round. */
export interface Lag {
  readonly ms: number;
  /** Whether the process computed most of that time; else it was stopped, or its machine had no time for it. */
  readonly isBusy: boolean;
}

const noLag: Lag = { ms: 0, isBusy: false };

/** How often the event loop is measured, ms; coarse, for the same reason. */
const lagEveryMs = 250;

/**
 * A watch over the event loop of this process, at rest at first; keeps no process alive. Unlike the histogram of `perf_hooks` it also sees
 * what blocks the loop right after `attend`.
 */
export function watchEventLoop(): EventLoopWatch {
  let timer: NodeJS.Timeout | undefined;
  let expectedAt = 0;
  let usedMs = 0;
  let longest = noLag;
  const expect = (now: number, used: number): void => {
    expectedAt = now + lagEveryMs;
    usedMs = used;
  };
  const measure = (): void => {
    const now = performance.now();
    const used = processorTimeMs();
    const ms = now - expectedAt;
    if (ms > longest.ms) longest = { ms, isBusy: used - usedMs > ms / 2 };
    expect(now, used);
  };
  return {
    attend() {
      if (timer !== undefined) return;
      expect(performance.now(), processorTimeMs());
      timer = setInterval(measure, lagEveryMs).unref();
    },
    rest() {
      clearInterval(timer);
      timer = undefined;
    },
    takeLongestLag() {
      // The loop may reach the caller before the timer.
      if (timer !== undefined && performance.now() > expectedAt) measure();
      const taken = longest;
      longest = noLag;
      return taken;
    },
  };
}

/** What all threads of this process have used so far. */
function processorTimeMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
