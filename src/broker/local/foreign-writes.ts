/**
 * Notices when another process writes to the database that holds the tickets.
 *
 * If the file system reports writes, it checks right after each; else it polls every 40 ms, which costs microseconds. A file system that
 * missed two writes is no longer trusted.
 *
 * Reported → checks 4, 12 and 40 ms later, since the report precedes the readable write → changed: `onChange`.
 */
import type { Clock, Timer } from '../../base/clock.ts';
import { type Loop, makeLoop } from '../../base/loop.ts';
import type { TicketKeeper } from './ticket-table.ts';

export interface ForeignWritesOptions {
  readonly keeper: Pick<TicketKeeper, 'dataVersion' | 'watchWrites'>;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly onChange: () => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/** How often to poll if writes are not reported, ms. */
const askMs = 40;
const longestBackoffMs = 1_000;
/** When to check after a report, each counted from the last check, ms. */
const looksMs = [4, 12, 40];
/** Unreported writes after which reports are no longer trusted. */
const mostMissed = 2;

export class ForeignWrites {
  readonly #options: ForeignWritesOptions;
  readonly #asking: Loop;
  #stopWatching: (() => void) | null = null;
  #timer: Timer | undefined;
  #nextLook = 0;
  #version: number | null = null;
  /** Whether a write was reported since polling last found one unreported. */
  #heard = true;
  #missed = 0;
  #started = false;
  #stopped = false;

  constructor(options: ForeignWritesOptions) {
    this.#options = options;
    const { clock, random, onError } = options;
    const step = async (): Promise<void> => void (await this.#look());
    this.#asking = makeLoop({
      name: 'foreign writes',
      intervalMs: askMs,
      maxBackoffMs: longestBackoffMs,
      step,
      onError,
      clock,
      random,
      immediate: false,
    });
  }

  /** Begins; may be called again. */
  start(): void {
    if (this.#started || this.#stopped) return;
    this.#started = true;
    const { keeper, onError } = this.#options;
    this.#version = keeper.dataVersion();
    this.#stopWatching = keeper.watchWrites?.(() => this.#onReport()) ?? null;
    if (this.#stopWatching === null) this.#asking.start().catch(onError);
  }

  /** The owner's slow poll: checks in any case, and learns whether reports are reliable. */
  checkReports(): void {
    if (this.#stopWatching === null || this.#timer !== undefined) return;
    try {
      if (this.#options.keeper.dataVersion() === this.#version) return;
    } catch (error) {
      return this.#options.onError(error);
    }
    // A write of just now may yet be reported.
    this.#heard = false;
    this.#nextLook = looksMs.length - 1;
    this.#arm();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#stopWatching?.();
    await this.#asking.stop();
  }

  #onReport(): void {
    if (this.#stopped) return;
    this.#heard = true;
    const looking = this.#timer !== undefined;
    this.#nextLook = 0;
    if (!looking) this.#arm();
  }

  #arm(): void {
    const ms = looksMs[this.#nextLook];
    if (ms === undefined || this.#stopped) return;
    this.#nextLook += 1;
    this.#timer = this.#options.clock.setTimer(
      ms,
      () => {
        this.#timer = undefined;
        this.#look().then((changed) => this.#afterLook(changed), this.#options.onError);
      },
      { unref: true },
    );
  }

  #afterLook(changed: boolean): void {
    if (!changed) return this.#arm();
    if (this.#heard || this.#stopped) return;
    this.#heard = true;
    this.#missed += 1;
    if (this.#missed < mostMissed) return;
    this.#stopWatching?.();
    this.#stopWatching = null;
    this.#asking.start().catch(this.#options.onError);
  }

  /** True if another connection has written since the last check. */
  async #look(): Promise<boolean> {
    if (this.#stopped) return false;
    const version = this.#options.keeper.dataVersion();
    if (version === this.#version) return false;
    this.#version = version;
    await this.#options.onChange();
    return true;
  }
}
