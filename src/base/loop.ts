/**
 * A repeated step: the only form of repetition over time in this code base.
 *
 * Owned by its creator, who starts and stops it as a `Service`. Waiting → stepping → waiting …, never two steps at once. A crash loses
 * nothing, as a loop keeps no state: each step checks what is due.
 */
import type { Clock } from './clock.ts';
import { makeService, type Service } from './service.ts';

export interface LoopOptions {
  readonly name: string;
  /** From the end of a step to the start of the next, ms. */
  readonly intervalMs: number;
  /** Random variation of the interval, as a share of it, 0 to 1; default 0.1. Keeps processes from stepping together. */
  readonly jitter?: number;
  /** Longest wait after errors in a row, which each double it; default 60 s, at least the interval. */
  readonly maxBackoffMs?: number;
  /** Whether to step at once; default true. */
  readonly immediate?: boolean;
  /** Whether its timer lets the process end; default false. */
  readonly unref?: boolean;
  /** One step. Returns `'again'` if more is due, so that the next step follows without a wait. */
  step(signal: AbortSignal): Promise<'again' | void>;
  /** Called for each step that throws, unless stopped. `failures` counts consecutive ones. */
  onError(error: unknown, failures: number): void;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** A loop. `stop` aborts the signal of a running step and waits for it to end. */
export interface Loop extends Service {
  /** Steps at once; during a step, once more right after it. No effect if not running. */
  wake(): void;
}

const defaultJitter = 0.1;
const defaultMaxBackoffMs = 60_000;
/** Further doubling would change nothing but could overflow. */
const maxDoublings = 30;

/** A loop ready to start. */
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
