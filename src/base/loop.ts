/**
 * A step that is repeated: the only form in which something happens again and again in this code base.
 *
 * Owned by whoever made it, who starts and stops it as a `Service`. Waiting → stepping → waiting …, never two steps at
 * once. A crash loses nothing, for a loop keeps no state: each step looks at what is due.
 */
import type { Clock } from './clock.ts';
import { makeService, type Service } from './service.ts';

export interface LoopOptions {
  readonly name: string;
  /** From the end of a step to the start of the next, ms. */
  readonly intervalMs: number;
  /** Part of the interval by which a wait is shortened or lengthened at random, 0 to 1; default 0.1. Keeps many processes from stepping together. */
  readonly jitter?: number;
  /** Longest wait after errors in a row, each of which doubles it; default 60 s, at least the interval. */
  readonly maxBackoffMs?: number;
  /** Whether the first step comes at once; default true. */
  readonly immediate?: boolean;
  /** Whether its timer lets the process end; default false. */
  readonly unref?: boolean;
  /** One step. Gives `'again'` when more is due, which makes the next step follow without a wait. */
  step(signal: AbortSignal): Promise<'again' | void>;
  /** Called for each step that throws, unless it was stopped. `failures` counts those in a row. */
  onError(error: unknown, failures: number): void;
  readonly clock: Clock;
  /** From 0 up to but not including 1. */
  readonly random: () => number;
}

/** A loop, once made. `stop` aborts the signal of a step under way and waits for it to end. */
export interface Loop extends Service {
  /** Steps at once instead of after the wait; during a step, once more right after it. Does nothing when not running. */
  wake(): void;
}

const defaultJitter = 0.1;
const defaultMaxBackoffMs = 60_000;
/** Doubling further than this changes nothing but could overflow. */
const maxDoublings = 30;

/** A loop that is ready to start. */
export function makeLoop(options: LoopOptions): Loop {
  let woken = options.immediate ?? true;
  let endWait: (() => void) | undefined;
  let running: Promise<void> | undefined;

  function wake(): void {
    if (running === undefined) return;
    woken = true;
    endWait?.();
  }

  async function wait(ms: number, signal: AbortSignal): Promise<void> {
    if (woken || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = options.clock.setTimer(ms, resolve, { unref: options.unref ?? false });
      endWait = () => {
        timer.cancel();
        resolve();
      };
    });
    endWait = undefined;
  }

  async function repeat(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      await wait(waitMs(options, failures), signal);
      if (signal.aborted) return;
      woken = false;
      try {
        if ((await options.step(signal)) === 'again') woken = true;
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        options.onError(error, failures);
      }
    }
  }

  const service = makeService({
    name: options.name,
    start(signal) {
      signal.addEventListener('abort', () => endWait?.(), { once: true });
      running = repeat(signal);
    },
    async stop() {
      await running;
      running = undefined;
    },
  });
  return { ...service, wake };
}

function waitMs({ intervalMs, jitter = defaultJitter, maxBackoffMs = defaultMaxBackoffMs, random }: LoopOptions, failures: number): number {
  const longest = Math.max(intervalMs, maxBackoffMs);
  const base = failures === 0 ? intervalMs : Math.min(longest, Math.max(1, intervalMs) * 2 ** Math.min(failures, maxDoublings));
  return base * (1 + jitter * (2 * random() - 1));
}
