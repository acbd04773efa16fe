/**
 * Rates as this process sees them: what is about to begin asks here, and says so once it has.
 *
 * What is asked or said at the same time is one transaction. Nothing is held here: a process that dies between the two leaves a start that counts
 * as if it had happened at the last moment it could have.
 */
import type { Logger } from 'pino';
import type { Clock } from '../../base/clock.ts';
import type { MakeId } from '../../base/id.ts';
import type { RateName } from '../../model/rate.ts';
import { tagLimit } from '../../model/limit.ts';
import type { RateAnswer, RateStore, RateWish } from '../../store/store.ts';
import { Batcher } from '../batcher.ts';
import { limitName } from './limit-key.ts';

/** How long whoever has leave may take to begin, ms; more where answers take long. What has not begun by half of it asks again. */
const withinMs = { least: 2_000, most: 60_000 } as const;
/** How long what was read of the rates of tags is good for, ms. */
const goodForMs = 1_000;
/** A wait longer than this needs no worker. */
export const momentMs = 1_000;
/** So much before its turn a run that was let go of is with a worker again, ms. */
export const earlyMs = 250;
/** Whoever waits here asks again after so long at the latest: its turn may come sooner than it looked, ms. For each hundred that wait, so much longer. */
const askAgainMs = 2_000;
const mostLonger = 30;
/** A turn that is noted is noted anew once it is this far from there, ms, or a quarter of what is still to wait. */
const movedMs = 30_000;
const none: readonly RateName[] = [];

/** How long to wait before the next question, ms. @param waiting how many wait in this process */
export function askAgainAfter(waitMs: number, waiting: number): number {
  return Math.min(waitMs, askAgainMs * Math.min(mostLonger, Math.max(1, waiting / 100)));
}

/** Whether a turn is worth a record. @param noted the instant that was recorded; null: none was */
export function hasMoved(noted: number | null, { waitMs, nextAt }: { readonly waitMs: number; readonly nextAt: number }): boolean {
  return noted === null || Math.abs(nextAt - noted) > Math.max(movedMs, waitMs / 4);
}

export interface RatesOptions {
  readonly store: RateStore;
  /** The system's. */
  readonly clock: Clock;
  readonly log: Logger;
  readonly makeId: MakeId;
}

/** Leave to begin. Whoever has it begins as soon as `isFresh` was looked at, or gives it back. */
export class RatePass {
  readonly #rates: Rates;
  readonly #start: string;
  readonly #freshUntil: number;
  #left = true;

  constructor(rates: Rates, start: string, freshUntil: number) {
    this.#rates = rates;
    this.#start = start;
    this.#freshUntil = freshUntil;
  }

  isFresh(now: number): boolean {
    return now < this.#freshUntil;
  }

  /** It has begun. Harmless when that was said before. */
  began(): void {
    if (this.#left) this.#rates.began(this.#start);
    this.#left = false;
  }

  /** It does not begin after all. Harmless once it has. */
  giveBack(): Promise<void> | null {
    if (!this.#left) return null;
    this.#left = false;
    return this.#rates.giveBack(this.#start);
  }
}

type TagRate = Awaited<ReturnType<RateStore['tagRates']>>[number];

export class Rates {
  readonly #options: RatesOptions;
  readonly #asks: Batcher<RateWish, { readonly answer: RateAnswer; readonly freshUntil: number }>;
  readonly #began: Batcher<string, undefined>;
  readonly #gives: Batcher<string, undefined>;
  readonly #saying = new Set<Promise<unknown>>();
  #waiting = 0;
  #withinMs: number = withinMs.least;
  #tags: ReadonlyMap<string, TagRate> = new Map();
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | null = null;

  constructor(options: RatesOptions) {
    const { store } = options;
    this.#options = options;
    this.#asks = new Batcher(async (wishes) => {
      const within = this.#withinMs;
      const freshUntil = options.clock.monotonic() + within / 2;
      return (await store.ask(wishes, Math.round(within))).map((answer) => ({ answer, freshUntil }));
    });
    this.#began = new Batcher(async (starts) => {
      await store.started(starts);
      return starts.map(() => undefined);
    });
    this.#gives = new Batcher(async (starts) => {
      await store.giveBack(starts);
      return starts.map(() => undefined);
    });
  }

  /** Names of the rates that tasks of these tags are under; at once where that is known. @throws BatutaError STORE_… */
  ofTags(tags: readonly string[], params: () => unknown): readonly RateName[] | Promise<readonly RateName[]> {
    if (this.#options.clock.monotonic() - this.#readAt <= goodForMs) return this.#namesOf(tags, params);
    this.#reading ??= this.#read().finally(() => (this.#reading = null));
    return this.#reading.then(() => this.#namesOf(tags, params));
  }

  /** Leave to begin, or when to ask again. @throws BatutaError STORE_… */
  async ask(wish: Omit<RateWish, 'start'>): Promise<RatePass | (RateAnswer & { readonly granted: false })> {
    const { clock, makeId } = this.#options;
    for (;;) {
      const start = makeId();
      const { answer, freshUntil } = await this.#asks.add({ ...wish, start });
      if (!answer.granted) return answer;
      const pass = new RatePass(this, start, freshUntil);
      if (pass.isFresh(clock.monotonic())) {
        this.#withinMs = Math.max(withinMs.least, this.#withinMs * 0.9);
        return pass;
      }
      // The answer took so long that the start might come too late; where that is usual, more time is asked for.
      this.#withinMs = Math.min(withinMs.most, this.#withinMs * 2);
      await pass.giveBack();
    }
  }

  /** How many wait for a turn in this process. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Counts it as waiting for a turn until it is done. */
  async whileWaiting<T>(wait: () => Promise<T>): Promise<T> {
    this.#waiting++;
    try {
      return await wait();
    } finally {
      this.#waiting--;
    }
  }

  /** It waits no more, and does not begin. Best effort: what is left is cleared away. */
  async leave(holder: string): Promise<void> {
    await this.#options.store.leave([holder]).catch(() => undefined);
  }

  began(start: string): void {
    // Unsaid, it counts for a little longer than it has to.
    this.#say(this.#began.add(start));
  }

  async giveBack(start: string): Promise<void> {
    const given = this.#gives.add(start);
    this.#say(given);
    await given.catch(() => undefined);
  }

  /** Resolves once all has been said. */
  async close(): Promise<void> {
    while (this.#saying.size > 0) await Promise.allSettled(this.#saying);
  }

  #say(saying: Promise<undefined>): void {
    const said = saying
      .catch((error: unknown) => this.#options.log.debug({ err: error }, 'A start under a rate could not be noted; it counts for longer.'))
      .finally(() => this.#saying.delete(said));
    this.#saying.add(said);
  }

  async #read(): Promise<void> {
    const readAt = this.#options.clock.monotonic();
    this.#tags = new Map((await this.#options.store.tagRates()).map((rate) => [rate.name, rate]));
    this.#readAt = readAt;
  }

  #namesOf(tags: readonly string[], params: () => unknown): readonly RateName[] {
    if (this.#tags.size === 0) return none;
    const names = [...new Set(tags)].flatMap((tag): RateName[] => {
      const base = tagLimit(tag);
      const rate = this.#tags.get(base);
      if (rate === undefined) return [];
      return [{ base, name: limitName('tag', tag, rate.key, rate.key === null ? null : params()) }];
    });
    return names.length === 0 ? none : names;
  }
}
