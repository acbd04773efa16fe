/** The making of one value by this process, from the claim of its entry to its end: given, failed, or lost to another. */
import type { Logger } from 'pino';
import type { Clock } from '../../base/clock.ts';
import { type CachePolicy, type CacheUse, expiryOf } from '../../model/cache.ts';
import type { CacheClaim, CachedValue, CacheStore } from '../../store/store.ts';
import type { StoredValue } from '../values/results.ts';
import type { MadeEntry, ValueMaking } from './cache-access.ts';

export interface MakingOptions {
  readonly claim: CacheClaim;
  readonly policy: CachePolicy;
  readonly use: CacheUse;
  readonly store: CacheStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called with a key in the result storage that is no longer referenced. */
  readonly onLoose: (resultRef: string) => void;
  /** Called once, with the value for others, if any. */
  readonly onEnd: (entry: MadeEntry | null) => void;
}

export class Making implements ValueMaking {
  readonly #options: MakingOptions;
  #isLost = false;
  #isOver = false;

  constructor(options: MakingOptions) {
    this.#options = options;
  }

  /** Another makes it now: the value made here is not stored. */
  lose(): void {
    this.#isLost = true;
  }

  async give(stored: StoredValue, by: { readonly runId: string; readonly taskRunId: string }): Promise<void> {
    const { claim, policy, use, store, clock, log, onLoose } = this.#options;
    const madeAt = clock.now();
    try {
      const value: CachedValue = { ...by, ...stored, madeAt, expiresAt: expiryOf(policy.ttl, madeAt, use) };
      const isKept = !this.#isLost && (await store.put(claim, value, onLoose));
      this.#end(isKept ? { id: claim.entryId, ...use, value, maker: null } : null);
    } catch (error) {
      log.error({ err: error, entry: claim.entryId }, 'A value could not be kept in the cache; it is made again by the next who asks.');
    }
  }

  async end(): Promise<void> {
    if (this.#isOver) return;
    const { claim, store, log } = this.#options;
    if (!this.#isLost)
      await store.release(claim).catch((error: unknown) => {
        log.warn({ err: error, entry: claim.entryId }, 'An entry of the cache could not be given back; its lease ends by itself.');
      });
    this.#end(null);
  }

  #end(entry: MadeEntry | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.onEnd(entry);
  }
}
