/**
 * Notices that another process has written to the database that holds the tickets.
 *
 * Where the file system reports writes, it looks right after each; else it polls every 40 ms, which costs microseconds. A file system that
 * missed two writes is no longer relied on.
 *
 * Reported → looks 4, 12 and 40 ms later, since the report comes before the write can be read → changed: `onChange`.
 */
import type { Clock, Timer } from '../../base/clock.ts';
import { type Loop, makeLoop } from '../../base/loop.ts';
import type { TicketKeeper } from './ticket-table.ts';

export interface ForeignWritesOptions {
  readonly keeper: Pick<TicketKeeper, 'dataVersion' | 'watchWrites'>;
  readonly clock: Clock;
  /** From 0 up to but not including 1. */
  readonly random: () => number;
  readonly onChange: () => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/** How often it polls where writes are not reported, ms. */
const askMs = 40;
const longestBackoffMs = 1_000;
/** When it looks after a report, each counted from the look before, ms. */
const looksMs = [4, 12, 40];
/** So many writes may come without a report until reports are not relied on. */
const mostMissed = 2;

export class ForeignWrites {
  readonly #options: ForeignWritesOptions;
  readonly #asking: Loop;
  #stopWatching: (() => void) | null = null;
  #timer: Timer | undefined;
  #nextLook = 0;
  #version: number | null = null;
  /** Whether a write was reported since polling last found one that was not. */
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

  /** The slow poll of the owner: looks in any case, and learns whether reports can be relied on. */
  checkReports(): void {
    if (this.#stopWatching === null || this.#timer !== undefined) return;
    try {
      if (this.#options.keeper.dataVersion() === this.#version) return;
    } catch (error) {
      return this.#options.onError(error);
    }
    // A write of just now may be reported in a moment.
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

  /** True when another connection has written since the last look. */
  async #look(): Promise<boolean> {
    if (this.#stopped) return false;
    const version = this.#options.keeper.dataVersion();
    if (version === this.#version) return false;
    this.#version = version;
    await this.#options.onChange();
    return true;
  }
}
