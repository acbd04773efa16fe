/**
 * The fleet's figures in the database at one moment: queues, workers, limits, cache. Read rarely, however many ask: figures of the last
 * few seconds are reused, and while they are read again, callers get the previous ones after a short wait.
 */
import { type Clock, settledWithin } from '../base/clock.ts';
import { rateLabel } from '../model/rate.ts';
import type { CacheTotals, QueueFigures, RateView, RunLimit, Store, StoredWorker, TagLimitView } from '../store/store.ts';

/** A limit on runs or on tasks. */
export interface LimitFigures extends Pick<RunLimit, 'name' | 'slots' | 'held' | 'waiting'> {}

export interface FleetFigures {
  /** When it was read, UTC epoch ms. */
  readonly at: number;
  readonly open: Awaited<ReturnType<Store['figures']['open']>>;
  readonly queues: readonly (QueueFigures & { readonly workers: number })[];
  readonly workers: readonly (StoredWorker & { readonly isAlive: boolean })[];
  readonly limits: readonly LimitFigures[];
  /** Each by its `rateLabel`. */
  readonly rates: readonly Pick<RateView, 'name' | 'limit' | 'used' | 'waiting'>[];
  readonly cache: CacheTotals;
  /** Firing alerts, and pending deliveries: how many, and since when the oldest waits. */
  readonly alerts: {
    readonly open: readonly { readonly rule: string; readonly count: number }[];
    readonly pending: number;
    readonly oldestAt: number | null;
  };
}

export interface FleetReaderOptions {
  readonly store: Store;
  /** The system clock. */
  readonly clock: Clock;
  /** A worker that has been silent for longer is not counted, ms. */
  readonly leaseMs: number;
}

/** Older figures are read again, ms. */
const freshMs = 5_000;
/** How long a caller waits for new figures if there are older ones, ms. */
const patienceMs = 15;

export class FleetReader {
  readonly #options: FleetReaderOptions;
  #last: FleetFigures | null = null;
  #reading: Promise<FleetFigures> | null = null;

  constructor(options: FleetReaderOptions) {
    this.#options = options;
  }

  /** @throws BatutaError STORE_… if nothing was ever read */
  async read(): Promise<FleetFigures> {
    const { clock } = this.#options;
    const last = this.#last;
    if (last !== null && clock.now() - last.at < freshMs) return last;
    this.#reading ??= this.#readNow().finally(() => (this.#reading = null));
    if (last === null) return await this.#reading;
    this.#reading.catch(() => undefined);
    await settledWithin(clock, patienceMs, this.#reading);
    return this.#last ?? last;
  }

  async #readNow(): Promise<FleetFigures> {
    const { store, clock, leaseMs } = this.#options;
    const [open, queues, workers, runLimits, tagLimits, rates, cache, alerts, outbox] = await Promise.all([
      store.figures.open(),
      store.figures.queues(),
      store.workers.list(),
      store.limits.runLimits(),
      store.limits.tagLimitViews(),
      store.rates.views(),
      store.cache.totals(),
      store.alerts.open(),
      store.alerts.outbox.state(),
    ]);
    const living = workers.map((worker) => ({ ...worker, isAlive: worker.silentMs <= leaseMs }));
    const served = new Set(living.filter(({ isAlive }) => isAlive).flatMap((worker) => worker.queues));
    const none = { waiting: 0, delayed: 0, running: 0, oldestAt: null, inLastMinute: 0, outLastMinute: 0 };
    const idle = [...served].filter((name) => !queues.some((queue) => queue.name === name)).map((name) => ({ name, ...none }));
    this.#last = {
      at: clock.now(),
      open,
      queues: [...queues, ...idle].map((queue) => ({
        ...queue,
        workers: living.filter(({ isAlive, queues: names }) => isAlive && names.includes(queue.name)).length,
      })),
      workers: living,
      limits: [...runLimits, ...tagLimits.map((limit: TagLimitView) => limit)],
      rates: rates.map((rate) => ({ ...rate, name: rateLabel(rate) })),
      cache,
      alerts: { open: alerts.filter(({ state }) => state === 'firing'), pending: outbox.pending, oldestAt: outbox.oldestAt },
    };
    return this.#last;
  }
}
