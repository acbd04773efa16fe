/**
 * The owners' side of spread tasks, one per engine: offers task runs to workers, ends them, and waits for their ends.
 *
 * Simultaneous offers, ends or queries go in one statement. A wait is woken by the worker that has recorded the end, backed by one poll a
 * second for all of them. A crash leaves task runs that continue; the next owner waits for them.
 */
import type { Logger } from 'pino';
import type { Clock, Timer } from '../../base/clock.ts';
import type { TaskRun } from '../../model/run.ts';
import type { State } from '../../model/state.ts';
import type { Claim, EndHeld, OfferedTask, SpreadStore } from '../../store/store.ts';
import { Batcher } from '../batcher.ts';
import type { Spread } from './spread.ts';

/** Interval of the fallback poll, ms. */
const pollMs = 1_000;

export interface SpreadOffersOptions {
  readonly store: SpreadStore;
  readonly spread: Spread;
  /** The system's. */
  readonly clock: Clock;
  readonly log: Logger;
}

/** `offered`: it waits now · `standing`: it was offered before, and waits, is held or has ended · `lost`: another owns the run. */
export type Offer = 'offered' | 'standing' | 'lost';

interface EndWish {
  readonly claim: Claim;
  readonly id: string;
  readonly state: State;
  readonly at: number;
  readonly held: EndHeld;
}

interface Listening {
  tasks: number;
  readonly stop: Promise<() => void>;
}

export class SpreadOffers {
  readonly #options: SpreadOffersOptions;
  readonly #offers: Batcher<{ readonly claim: Claim; readonly task: OfferedTask }, Offer>;
  readonly #ends: Batcher<EndWish, undefined>;
  readonly #waits = new Map<string, (row: TaskRun) => void>();
  readonly #listening = new Map<string, Listening>();
  /** Task runs that may have ended. */
  #news = new Set<string>();
  #looking = false;
  #poll: Timer | null = null;

  constructor(options: SpreadOffersOptions) {
    this.#options = options;
    this.#offers = new Batcher((asked) => this.#offerAll(asked));
    this.#ends = new Batcher((wishes) => this.#endAll(wishes));
  }

  /** Offers a task run to the workers of its queue. Durable when it resolves. @throws BatutaError STORE_… */
  offer(claim: Claim, task: OfferedTask): Promise<Offer> {
    return this.#offers.add({ claim, task });
  }

  /** Ends a task run unless a worker has it; see `SpreadStore.end`. @throws BatutaError STORE_… */
  async end(wish: EndWish): Promise<void> {
    await this.#ends.add(wish);
    this.#noteNews(wish.id);
  }

  /** Calls `onEnd` once with the row of the task run, when that has ended. Call before the offer. Returns a function to stop it. */
  async wait(runId: string, id: string, onEnd: (row: TaskRun) => void): Promise<() => void> {
    this.#waits.set(id, onEnd);
    const listening = this.#listening.get(runId) ?? {
      tasks: 0,
      stop: this.#options.spread.listen(runId, (ended) => this.#noteNews(ended)),
    };
    this.#listening.set(runId, listening);
    listening.tasks++;
    if (!this.#poll) this.#armPoll();
    await listening.stop;
    return () => {
      this.#waits.delete(id);
      if (--listening.tasks === 0) {
        this.#listening.delete(runId);
        void listening.stop.then((stop) => stop());
      }
      if (this.#waits.size === 0) {
        this.#poll?.cancel();
        this.#poll = null;
      }
    };
  }

  /** Checks soon whether a task run has ended. */
  look(id: string): void {
    this.#noteNews(id);
  }

  async #offerAll(asked: readonly { readonly claim: Claim; readonly task: OfferedTask }[]): Promise<Offer[]> {
    const { store, spread, log } = this.#options;
    const offers = new Map<string, Offer>();
    for (const [claim, tasks] of byClaim(asked)) {
      const tickets = await store.offer(
        claim,
        tasks.map(({ task }) => task),
      );
      for (const { task } of tasks) offers.set(task.taskRun.id, tickets === null ? 'lost' : 'standing');
      for (const { id } of tickets ?? []) offers.set(id, 'offered');
      if (tickets && tickets.length > 0)
        spread
          .put(tickets)
          .catch((error: unknown) =>
            log.warn({ err: error }, 'No worker could be woken for spread tasks; the fleet will see them within seconds.'),
          );
    }
    return asked.map(({ task }) => offers.get(task.taskRun.id) ?? 'lost');
  }

  async #endAll(wishes: readonly EndWish[]): Promise<undefined[]> {
    const groups = new Map<string, EndWish[]>();
    for (const wish of wishes) {
      const key = JSON.stringify([wish.claim, wish.state, wish.held]);
      groups.set(key, [...(groups.get(key) ?? []), wish]);
    }
    for (const group of groups.values()) {
      const [first] = group;
      const ids = group.map(({ id }) => id);
      if (first) await this.#options.store.end(first.claim, ids, first.state, first.at, first.held);
    }
    return wishes.map(() => undefined);
  }

  #noteNews(id: string): void {
    this.#news.add(id);
    if (this.#looking) return;
    this.#looking = true;
    setImmediate(() => void this.#lookAtNews());
  }

  async #lookAtNews(): Promise<void> {
    const { store, log } = this.#options;
    while (this.#news.size > 0) {
      const asked = [...this.#news].filter((id) => this.#waits.has(id));
      this.#news = new Set();
      try {
        for (const row of await store.ended(asked)) this.#waits.get(row.id)?.(row);
      } catch (error) {
        log.warn({ err: error }, 'The ends of spread tasks could not be looked for; the next look follows.');
      }
    }
    this.#looking = false;
  }

  #armPoll(): void {
    this.#poll = this.#options.clock.setTimer(pollMs, () => {
      for (const id of this.#waits.keys()) this.#noteNews(id);
      this.#armPoll();
    });
  }
}

function byClaim<T extends { readonly claim: Claim }>(asked: readonly T[]): Map<Claim, T[]> {
  const groups = new Map<string, { readonly claim: Claim; readonly items: T[] }>();
  for (const item of asked) {
    const key = `${item.claim.runId}:${item.claim.epoch}`;
    const group = groups.get(key) ?? { claim: item.claim, items: [] };
    group.items.push(item);
    groups.set(key, group);
  }
  return new Map([...groups.values()].map(({ claim, items }) => [claim, items]));
}
