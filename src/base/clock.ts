/** The only file that reads time. */
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

/** A timer that can be cancelled. */
export interface Timer {
  /** Cancels the timer; harmless once it has fired or been cancelled. */
  cancel(): void;
}

/**
 * Source of time. Wall clock for stored times, monotonic for durations.
 *
 * A test passes its own clock to make hours pass at once.
 */
export interface Clock {
  /** Wall clock, UTC epoch milliseconds, whole. */
  now(): number;
  /** Monotonic milliseconds with fraction; only differences matter. */
  monotonic(): number;
  /** Calls `fire` once after `ms` milliseconds (0 to years). With `unref` it does not keep the process alive. */
  setTimer(ms: number, fire: () => void, options?: { readonly unref?: boolean }): Timer;
  /** Resolves after `ms` milliseconds; rejects with the reason of `signal` if that aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** For test clocks: a task run begins (1) or stops (-1) waiting for another, during which time need not stand still. */
  countWait?(taskRunId: string, by: 1 | -1): void;
}

/** Longest delay of Node's own timer (2^31 - 1 ms, 24.8 days); longer ones are split. */
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

/** How long this thread's event loop has been busy so far, ms. */
export function loopBusyMs(): number {
  return performance.eventLoopUtilization().active;
}

/** Waits until `promise` has settled, either way, but at most `ms`. True if it has. Never rejects. */
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

/** Resolves in a later turn of the event loop, so that requests, timers and leases can run during long work. */
export function letOthersIn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Measures event loop delay, from `attend` to `rest`: measuring wakes the process. */
export interface EventLoopWatch {
  /** Starts measuring, unless it already does. */
  attend(): void;
  /** Stops measuring, until the next `attend`. */
  rest(): void;
  /** The longest delay while measuring since the last call. */
  takeLongestLag(): Lag;
}

/** A time during which the event loop did not turn. */
export interface Lag {
  readonly ms: number;
  /** Whether the process computed for most of it; else it was stopped, or starved by its machine. */
  readonly isBusy: boolean;
}

const noLag: Lag = { ms: 0, isBusy: false };

/** How often to measure the event loop, ms; coarse, for the same reason. */
const lagEveryMs = 250;

/**
 * A watch on this process's event loop, initially at rest; keeps no process alive. Unlike the histogram of `perf_hooks` it also sees what
 * blocks the loop right after `attend`.
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

/** CPU time of all threads of this process so far. */
function processorTimeMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
