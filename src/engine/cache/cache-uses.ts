/** Uses of entries, gathered and written to the store once a second: a hit must not cost a write. */
import type { Logger } from 'pino';
import type { Clock, Timer } from '../../base/clock.ts';
import { type CacheTtl, expiryOf } from '../../model/cache.ts';
import type { CacheStore, CountedUse, FoundEntry } from '../../store/store.ts';
import type { MadeEntry } from './cache-access.ts';

/** Between two writes, ms. */
const everyMs = 1_000;

export interface CacheUsesOptions {
  readonly store: Pick<CacheStore, 'count'>;
  /** The system's. */
  readonly clock: Clock;
  readonly log: Logger;
}

export class CacheUses {
  readonly #options: CacheUsesOptions;
  #uses = new Map<string, CountedUse>();
  /** What is being written. */
  #underWay: ReadonlyMap<string, CountedUse> = new Map();
  #timer: Timer | null = null;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: CacheUsesOptions) {
    this.#options = options;
  }

  /** A value was found. If its TTL depends on its use, it expires by that from now on. */
  hit(entry: MadeEntry, ttl: CacheTtl, usedAt: number): void {
    const { id, hits, misses, value } = entry;
    const counted = this.#uses.get(id);
    const use = { hits: hits + (counted?.hits ?? 0) + 1, misses };
    let { expiry } = counted ?? {};
    if (typeof ttl === 'function') {
      try {
        expiry = { madeAt: value.madeAt, expiresAt: expiryOf(ttl, value.madeAt, use) };
      } catch (error) {
        this.#options.log.error({ err: error, entry: id }, 'cache.ttl threw; the value keeps its previous expiry.');
      }
    }
    this.#note({ id, hits: (counted?.hits ?? 0) + 1, waits: counted?.waits ?? 0, usedAt, expiry });
  }

  /** The entry as it will be once the uses known here are counted. */
  counted(entry: FoundEntry | null): FoundEntry | null {
    const expiry = entry === null ? undefined : (this.#uses.get(entry.id) ?? this.#underWay.get(entry.id))?.expiry;
    if (entry?.value?.madeAt !== expiry?.madeAt || expiry === undefined || !entry?.value) return entry;
    return { ...entry, value: { ...entry.value, expiresAt: expiry.expiresAt } };
  }

  /** A caller waits for another that makes the value. */
  wait(id: string, usedAt: number): void {
    const counted = this.#uses.get(id);
    this.#note({ ...counted, id, hits: counted?.hits ?? 0, waits: (counted?.waits ?? 0) + 1, usedAt });
  }

  /** Writes what is not written yet. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    await this.#write();
  }

  #note(use: CountedUse): void {
    this.#uses.set(use.id, use);
    this.#timer ??= this.#options.clock.setTimer(
      everyMs,
      () => {
        this.#timer = null;
        void this.#write();
      },
      { unref: true },
    );
  }

  async #write(): Promise<void> {
    const { store, log } = this.#options;
    await this.#writing;
    if (this.#uses.size === 0) return;
    const uses = this.#uses;
    this.#underWay = uses;
    this.#uses = new Map();
    this.#writing = store
      .count([...uses.values()])
      .catch((error: unknown) => log.warn({ err: error }, 'The use of the cache could not be counted.'));
    await this.#writing;
  }
}
