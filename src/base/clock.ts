/** The only file that reads time. */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
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

/** A watch over how promptly the event loop comes round. */
export interface EventLoopWatch {
  /** Longest it was held up since the last call, ms. */
  takeLongestLagMs(): number;
  stop(): void;
}

/** How often the event loop is measured, ms; coarse, for measuring wakes the process. */
const lagResolutionMs = 250;

/** Watches the event loop of this process; keeps no process alive. */
export function watchEventLoop(): EventLoopWatch {
  const histogram = monitorEventLoopDelay({ resolution: lagResolutionMs });
  histogram.enable();
  return {
    takeLongestLagMs() {
      const longestMs = histogram.max / 1e6 - lagResolutionMs;
      histogram.reset();
      return Math.max(0, longestMs);
    },
    stop: () => void histogram.disable(),
  };
}
