/** Contract of queries about the cache. Times are UTC epoch ms. */
import type { CacheEntry, CacheFilter, CachePageFilter, CacheTotals, Page } from '../store/store.ts';
import type { WireValue } from './wire.ts';

/** An entry with its value. */
export interface CacheEntryDetails extends CacheEntry {
  /** As written by superjson; null if there is none, or if it is over 256 KiB. */
  readonly result: WireValue | null;
  /** Whether the value is over 256 KiB and is in the result storage. */
  readonly isLarge: boolean;
}

export interface CacheList extends Page<CacheEntry> {
  /** Figures of the whole cache, whatever the filter. */
  readonly totals: CacheTotals;
}

export interface CacheClient {
  /** Last used first. @throws BatutaError FILTER_INVALID */
  list(filter?: CachePageFilter): Promise<CacheList>;
  /** @param id of the entry, or a unique beginning of it (4 characters or more) @throws BatutaError CACHE_ENTRY_NOT_FOUND */
  get(id: string): Promise<CacheEntryDetails>;
  /**
   * Removes values from the cache (empty filter: all); returns how many. They are computed again on next use. @throws BatutaError
   * FILTER_INVALID
   */
  clear(filter: CacheFilter): Promise<{ readonly entries: number }>;
}
