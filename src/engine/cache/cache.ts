/**
 * An engine's view of the cache: of all that want the value of one key at the same time, in any process, one makes it.
 *
 * In this process the first request leads, and the others wait for it here. The leader takes the existing value; or it claims the entry and
 * makes the value, under a lease that is renewed; or it waits until the process that holds the entry has recorded a value, gives up, or is
 * gone. A maker that fails leaves the entry to the next in line. On a crash the lease expires.
 */
import type { Logger } from 'pino';
import type { Clock } from '../../base/clock.ts';
import type { Owner } from '../../model/run.ts';
import type { CacheClaim, FoundEntry, Store } from '../../store/store.ts';
import { Batcher } from '../batcher.ts';
import { Leases } from '../lease/leases.ts';
import type { EngineSettings } from '../services.ts';
import type { ResultStorage } from '../results/storage.ts';
import { removeResults } from '../values/results.ts';
import { type CacheAccess, type CacheAnswer, type CacheAsk, type CacheNews, isGood, type MadeEntry } from './cache-access.ts';
import { CacheUses } from './cache-uses.ts';
import { CacheWaits } from './cache-waits.ts';
import { Flight } from './flight.ts';
import { Making } from './making.ts';

export interface CacheServices {
  readonly store: Store;
  readonly results: ResultStorage;
  /** Time as flows see it: when values are made and end. */
  readonly clock: Clock;
  /** The system's. */
  readonly leaseClock: Clock;
  readonly log: Logger;
  readonly owner: Owner;
  readonly isOwnerGone: (owner: Owner) => boolean;
  readonly settings: EngineSettings;
}

export class Cache implements CacheAccess {
  readonly #services: CacheServices;
  readonly #flights = new Map<string, Flight>();
  readonly #find: Batcher<string, FoundEntry | null>;
  readonly #leases: Leases<CacheClaim>;
  readonly #waits: CacheWaits;
  readonly #uses: CacheUses;
  #news: CacheNews | null = null;

  constructor(services: CacheServices) {
    const { store, leaseClock, log, settings } = services;
    this.#services = services;
    this.#find = new Batcher(async (ids) => {
      const found = new Map((await store.cache.find([...new Set(ids)])).map((entry) => [entry.id, entry]));
      return ids.map((id) => this.#uses.counted(found.get(id) ?? null));
    });
    this.#leases = new Leases({
      store: {
        dataVersion: () => 0,
        idOf: ({ entryId }) => entryId,
        renew: (claims, leaseMs) => store.cache.renew(claims, leaseMs),
        toStop: async () => [],
      },
      ...{ clock: leaseClock, log, settings },
    });
    this.#waits = new CacheWaits({ store, clock: leaseClock, log });
    this.#uses = new CacheUses({ store: store.cache, clock: leaseClock, log });
  }

  async connect(news: CacheNews): Promise<void> {
    this.#news = news;
    await news.listen(() => this.#waits.wake());
  }

  close(): Promise<void> {
    return this.#uses.close();
  }

  async ask(ask: CacheAsk): Promise<CacheAnswer> {
    const { key, signal, waitSignal } = ask;
    const askedAt = this.#services.clock.now();
    const waited = { is: false };
    const isWaiting = (makingRunId: string | null): void => {
      if (waited.is) return;
      waited.is = true;
      this.#uses.wait(key.id, askedAt);
      ask.onWait(makingRunId);
    };
    while (!signal.aborted) {
      const flight = this.#flights.get(key.id);
      const led = flight ? await flight.follow(waitSignal, isWaiting) : await this.#lead(ask, askedAt, isWaiting);
      if (led === null && waitSignal.aborted) return null;
      if (led === null) continue;
      if ('making' in led) return led;
      if (!isGood(led.entry, ask.refresh ? askedAt : null, askedAt)) continue;
      this.#uses.hit(led.entry, ask.policy.ttl, this.#services.clock.now());
      return { value: led.entry.value };
    }
    return null;
  }

  /** Asks the store for all requests here. Null if another should lead. */
  async #lead(
    ask: CacheAsk,
    askedAt: number,
    isWaiting: (makingRunId: string | null) => void,
  ): Promise<{ readonly entry: MadeEntry } | { readonly making: Making } | null> {
    const { key, signal, waitSignal } = ask;
    const flight = new Flight();
    this.#flights.set(key.id, flight);
    const end = (entry: MadeEntry | null): void => {
      this.#flights.delete(key.id);
      flight.end(entry);
    };
    try {
      for (let entry = await this.#look(key.id); !signal.aborted; ) {
        if (isGood(entry, ask.refresh ? askedAt : null, this.#services.clock.now())) {
          end(entry);
          return { entry };
        }
        const maker = entry?.maker ?? null;
        const isGone = maker?.owner !== null && maker?.owner !== undefined && this.#services.isOwnerGone(maker.owner);
        if (maker === null || maker.isOver || isGone) {
          const claim = await this.#claim(ask, askedAt, isGone ? maker.owner : null);
          if (claim !== null) {
            flight.isMade(ask.runId);
            return { making: this.#making(ask, claim, entry, end) };
          }
          entry = await this.#look(key.id);
          continue;
        }
        flight.isMade(maker.runId);
        isWaiting(maker.runId);
        if (waitSignal.aborted) break;
        entry = this.#uses.counted(await this.#waits.next(key.id, entry, waitSignal));
      }
    } catch (error) {
      end(null);
      throw error;
    }
    end(null);
    return null;
  }

  /** SQLite answers within this turn; PostgreSQL gets one query for all requests of a turn. */
  async #look(id: string): Promise<FoundEntry | null> {
    const { store } = this.#services;
    return store.dialect === 'sqlite' ? this.#uses.counted((await store.cache.find([id]))[0] ?? null) : await this.#find.add(id);
  }

  #claim({ key, runId, taskRunId, refresh }: CacheAsk, askedAt: number, gone: Owner | null): Promise<CacheClaim | null> {
    const { store, owner, settings, clock } = this.#services;
    const madeAfter = refresh ? askedAt : null;
    return store.cache.claim({ key, owner, leaseMs: settings.leaseMs, runId, taskRunId, at: clock.now(), madeAfter, gone });
  }

  #making({ policy }: CacheAsk, claim: CacheClaim, before: FoundEntry | null, end: (entry: MadeEntry | null) => void): Making {
    const { store, clock, log, results } = this.#services;
    const making = new Making({
      ...{ claim, policy, clock, log, store: store.cache },
      use: { hits: before?.hits ?? 0, misses: (before?.misses ?? 0) + 1 },
      onLoose: (key) =>
        void removeResults({ store, results, log }, { runIds: [], resultRefs: [key] }).catch((error: unknown) =>
          log.warn({ err: error }, 'The file of a value that was replaced in the cache could not be removed.'),
        ),
      onEnd: (entry) => {
        this.#leases.release(claim);
        end(entry);
        void this.#news?.tell().catch(() => undefined);
      },
    });
    this.#leases.hold({ claim, onLost: () => making.lose(), onCancel: () => undefined });
    return making;
  }
}
