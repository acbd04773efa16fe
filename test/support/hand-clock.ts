/** A clock whose timers fire by hand; it shows the real time until it is moved on. */
import { type Clock, systemClock, type Timer } from '../../src/base/clock.ts';

export interface HandTimer {
  readonly ms: number;
  /** Fires it; harmless when it was taken back. */
  readonly fire: () => void;
}

export interface HandClock {
  readonly clock: Clock;
  /** Those that were set, and have neither fired nor been taken back. */
  readonly timers: ReadonlyMap<object, HandTimer>;
  /** Those of `sleep`, likewise. */
  readonly sleeps: ReadonlyMap<object, HandTimer>;
  /** Moves both its clocks on, without firing anything. */
  pass(ms: number): void;
}

export function handClock(): HandClock {
  const [timers, sleeps] = [new Map<object, HandTimer>(), new Map<object, HandTimer>()];
  let passedMs = 0;
  const add = (to: Map<object, HandTimer>, ms: number, fire: () => void): Timer => {
    const timer = { cancel: () => void to.delete(timer) };
    to.set(timer, { ms, fire: () => void (to.delete(timer) && fire()) });
    return timer;
  };
  const sleep: Clock['sleep'] = (ms, signal) =>
    new Promise((resolve, reject) => {
      const stop = (): void => {
        timer.cancel();
        reject(signal?.reason as Error);
      };
      const timer = add(sleeps, ms, () => {
        signal?.removeEventListener('abort', stop);
        resolve();
      });
      if (signal?.aborted) stop();
      else signal?.addEventListener('abort', stop, { once: true });
    });
  return {
    clock: {
      ...systemClock,
      now: () => systemClock.now() + passedMs,
      monotonic: () => systemClock.monotonic() + passedMs,
      setTimer: (ms, fire) => add(timers, ms, fire),
      sleep,
    },
    timers,
    sleeps,
    pass: (ms) => void (passedMs += ms),
  };
}
