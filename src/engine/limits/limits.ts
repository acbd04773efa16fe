/** An engine's view of limits: its runs and tasks wait here for their slots, and slots they give back go to the next in line. */
import type { Logger } from 'pino';
import type { Clock } from '../../base/clock.ts';
import type { MakeId } from '../../base/id.ts';
import type { Owner } from '../../model/run.ts';
import type { Store } from '../../store/store.ts';
import { LimitWatch } from './limit-watch.ts';
import { Rates } from './rates.ts';
import { RunSlots } from './run-slots.ts';
import { TaskSlots } from './task-slots.ts';

/** Carries the news that a slot may be free between processes. Best effort, backed by a check every second. */
export interface LimitNews {
  tell(): Promise<void>;
  /** Calls `listener` on news from another process. */
  listen(listener: () => void): Promise<void>;
}

/** What it needs; the services of its engine include all of it. */
export interface LimitsOptions {
  readonly store: Store;
  /** The system's. */
  readonly leaseClock: Clock;
  readonly log: Logger;
  readonly owner: Owner;
  readonly makeId: MakeId;
  readonly isOwnerGone: (owner: Owner) => boolean;
  readonly settings: { readonly maxRecoveries: number };
}

/** Runs of lost processes taken from them at once. */
const batchRuns = 100;

export class Limits {
  readonly runs: RunSlots;
  readonly tasks: TaskSlots;
  readonly rates: Rates;
  readonly #options: LimitsOptions;
  readonly #watch: LimitWatch;
  #news: LimitNews | null = null;

  constructor(options: LimitsOptions) {
    const { store, leaseClock: clock, log, owner } = options;
    this.#options = options;
    this.#watch = new LimitWatch({ store, clock, log, net: () => this.#free() });
    const tell = (): void => void this.#news?.tell().catch(() => undefined);
    this.rates = new Rates({ store: store.rates, clock, log, makeId: options.makeId });
    this.runs = new RunSlots({ store, watch: this.#watch, log, tell });
    this.tasks = new TaskSlots({ store: store.limits, watch: this.#watch, clock, log, ownerId: owner.id, tell });
  }

  /** Exchanges news with other processes from now on. @throws BatutaError BROKER_UNAVAILABLE, STORE_… */
  async connect(news: LimitNews): Promise<void> {
    this.#news = news;
    await news.listen(() => this.#watch.wake());
  }

  /** Gives back what is left, and waits until others are notified. */
  async close(): Promise<void> {
    await this.runs.settled();
    await this.tasks.close();
    await this.rates.close();
  }

  /** Frees slots of lost processes: without a scheduler, those that wait do it. The runs wait to be continued. */
  async #free(): Promise<void> {
    const { store, isOwnerGone, settings, owner } = this.#options;
    if (this.#news === null) {
      const goneOwners = (await store.fleet.owners()).filter((one) => one.id !== owner.id && isOwnerGone(one));
      await store.fleet.reclaim({ limit: batchRuns, maxRecoveries: settings.maxRecoveries, goneOwners });
    }
    this.tasks.changed(await store.limits.sweepSlots());
  }
}
