/**
 * This process's view of rates: what is about to begin asks here, waits for the instant it is given, and reports once it has begun.
 *
 * Simultaneous requests or reports share one transaction. Nothing is held here: if the process dies between the two, the start counts as if
 * it had happened at the last possible moment.
 */
import type { Logger } from 'pino';
import type { Clock } from '../../base/clock.ts';
import type { MakeId } from '../../base/id.ts';
import type { RateName } from '../../model/rate.ts';
import { tagLimit } from '../../model/limit.ts';
import type { RateAnswer, RatePlace, RateStart, RateStore, RateWish } from '../../store/store.ts';
import { Batcher } from '../batcher.ts';
import { limitName } from './limit-key.ts';
import { StoreClock } from './store-clock.ts';

/**
 * How long after its instant the holder of a pass may begin, ms: a multiple of the response time. If it has not begun by half of it, it
 * asks again.
 */
const withinMs = { least: 500, most: 60_000, answers: 3 } as const;
/** How long before its turn a waiter asks for its place, ms: the response time plus a margin. */
const leadMs = { least: 80, most: 1_000, more: 40 } as const;
/** Waiters that would ask within this time of each other ask together, ms. */
const gatherMs = 50;
/** Answers over which the response time is averaged. */
const slowOver = 4;
/** Between two requests of one that might get a place any moment, ms. */
const leastRestMs = 25;
/** How long the rates of tags are valid once read, ms. */
const goodForMs = 1_000;
/** A longer wait needs no worker. */
export const momentMs = 1_000;
/** How long before it asks a released run is back with a worker, ms. */
export const earlyMs = 250;
/** A waiter here asks again after at most this time, as its turn may come sooner than expected, ms. Multiplied by hundreds of waiters. */
const askAgainMs = 2_000;
const mostLonger = 30;
/** A recorded turn is recorded again once it is off by this much, ms, or by a quarter of the remaining wait. */
const movedMs = 30_000;
const none: readonly RateName[] = [];

/** How long to wait before the next request, ms. @param waiting how many wait in this process */
export function askAgainAfter(waitMs: number, waiting: number): number {
  return Math.min(waitMs, askAgainMs * Math.min(mostLonger, Math.max(1, waiting / 100)));
}

/** Whether a turn is worth recording. @param noted the recorded instant; null: none */
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

/** Permission to begin at an instant. Its holder waits for that and begins right after checking `isFresh` (see `StartGate`), or gives it back. */
export class RatePass {
  readonly #rates: Rates;
  readonly #start: string;
  readonly #from: number;
  readonly #freshUntil: number;
  #left: boolean;

  /** @param from, freshUntil on the monotonic clock. @param counts false if no rate is declared any more */
  constructor(rates: Rates, start: string, { from, freshUntil, counts }: PassTime) {
    this.#rates = rates;
    this.#start = start;
    this.#from = from;
    this.#freshUntil = freshUntil;
    this.#left = counts;
  }

  /** Remaining wait, ms. */
  restMs(now: number): number {
    return Math.max(0, Math.ceil(this.#from - now));
  }

  /** For how long its holder may still begin, ms; negative: it came too late. */
  leftMs(now: number): number {
    return this.#freshUntil - now;
  }

  isFresh(now: number): boolean {
    return this.leftMs(now) > 0;
  }

  /** It has begun. No-op if already reported. */
  began(): void {
    if (this.#left) this.#rates.began(this.#start);
    this.#left = false;
  }

  /** It does not begin after all. No-op once it has. */
  giveBack(): Promise<void> | null {
    if (!this.#left) return null;
    this.#left = false;
    return this.#rates.giveBack(this.#start);
  }

  /** The same because it came too late: the next get more time. */
  giveBackLate(now: number): Promise<void> | null {
    this.#rates.wasLate(now - this.#from);
    return this.giveBack();
  }
}

interface PassTime {
  readonly from: number;
  readonly freshUntil: number;
  readonly counts: boolean;
}

/** When it was decided, by the database's clock. */
function instantOf(answers: readonly RateAnswer[]): number | null {
  for (const answer of answers) {
    if (!answer.granted) return answer.nextAt - answer.waitMs;
    if (answer.place) return answer.place.at;
  }
  return null;
}

type TagRate = Awaited<ReturnType<RateStore['tagRates']>>[number];

export class Rates {
  readonly #options: RatesOptions;
  readonly #asks: Batcher<RateWish, { readonly answer: RateAnswer; readonly within: number }>;
  readonly #began: Batcher<RateStart, undefined>;
  readonly #gives: Batcher<string, undefined>;
  readonly #saying = new Set<Promise<unknown>>();
  readonly #storeClock = new StoreClock();
  #waiting = 0;
  /** Recent average time until an answer is here and used, ms. */
  #slowMs = 0;
  #tags: ReadonlyMap<string, TagRate> = new Map();
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | null = null;

  constructor(options: RatesOptions) {
    const { store } = options;
    this.#options = options;
    this.#asks = new Batcher(async (wishes) => {
      const within = Math.round(Math.min(withinMs.most, Math.max(withinMs.least, this.#slowMs * withinMs.answers)));
      const sentAt = options.clock.monotonic();
      const answers = await store.ask(wishes, { withinMs: within, aheadMs: this.leadMs + gatherMs });
      const at = instantOf(answers);
      if (at !== null) this.#storeClock.note(sentAt, at, options.clock.monotonic());
      return answers.map((answer) => ({ answer, within }));
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

  /** Names of the rates on tasks with these tags; at once if they are known. @throws BatutaError STORE_… */
  ofTags(tags: readonly string[], params: () => unknown): readonly RateName[] | Promise<readonly RateName[]> {
    if (this.#options.clock.monotonic() - this.#readAt <= goodForMs) return this.#namesOf(tags, params);
    this.#reading ??= this.#read().finally(() => (this.#reading = null));
    return this.#reading.then(() => this.#namesOf(tags, params));
  }

  /** A pass, or when its turn comes. @throws BatutaError STORE_… */
  async ask(wish: Omit<RateWish, 'start'>): Promise<RatePass | (RateAnswer & { readonly granted: false })> {
    const { clock, makeId } = this.#options;
    for (;;) {
      const start = makeId();
      const askedAt = clock.monotonic();
      const { answer, within } = await this.#asks.add({ ...wish, start });
      const now = clock.monotonic();
      this.#note(now - askedAt);
      if (!answer.granted) return answer;
      const pass = this.#passFor(start, answer.place, within, now);
      if (pass.isFresh(now)) return pass;
      // The answer took so long that the start might come too late.
      await pass.giveBackLate(now);
    }
  }

  #passFor(start: string, place: RatePlace | undefined, within: number, now: number): RatePass {
    if (place === undefined) return new RatePass(this, start, { from: now, freshUntil: Number.POSITIVE_INFINITY, counts: false });
    const from = this.#storeClock.surelyAt(place.beginAt, now);
    return new RatePass(this, start, { from, freshUntil: this.#storeClock.notYetAt(place.beginAt + within / 2, now), counts: true });
  }

  /** A start was this late for its place, ms. */
  wasLate(ms: number): void {
    this.#note(ms);
  }

  #note(ms: number): void {
    this.#slowMs += (ms - this.#slowMs) / slowOver;
  }

  /** How long before its turn a waiter here asks for its place, whole ms: instants are made of it. */
  get leadMs(): number {
    return Math.round(Math.min(leadMs.most, Math.max(leadMs.least, this.#slowMs * 1.5 + leadMs.more)));
  }

  /** How long to rest before the next request, given the wait for the turn, ms. */
  restMs(waitMs: number): number {
    const now = this.#options.clock.monotonic();
    const ms = Math.max(leastRestMs, askAgainAfter(waitMs - this.leadMs, this.#waiting));
    const together = Math.floor((now + ms) / gatherMs) * gatherMs - now;
    return together > leastRestMs ? together : ms;
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

  /** Stops waiting without beginning. Best effort: what is left is cleaned up. */
  async leave(holder: string): Promise<void> {
    await this.#options.store.leave([holder]).catch(() => undefined);
  }

  began(start: string): void {
    // If unreported, it counts longer than necessary.
    this.#say(this.#began.add({ start, at: this.#storeClock.latest(this.#options.clock.monotonic()) }));
  }

  async giveBack(start: string): Promise<void> {
    const given = this.#gives.add(start);
    this.#say(given);
    await given.catch(() => undefined);
  }

  /** Resolves once all is reported. */
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
