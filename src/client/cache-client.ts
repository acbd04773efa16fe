/** Contract of what can be asked of the cache. Times are UTC epoch ms. */
import type { CacheEntry, CacheFilter, CachePageFilter, CacheTotals, Page } from '../store/store.ts';
import type { WireValue } from './wire.ts';

/** An entry with its value. */
export interface CacheEntryDetails extends CacheEntry {
  /** As superjson writes it; null while there is none, and for one over 256 KiB. */
  readonly result: WireValue | null;
  /** Whether the value is over 256 KiB and stands in the result storage. */
  readonly isLarge: boolean;
}

export interface CacheList extends Page<CacheEntry> {
  /** Figures of the whole cache, whatever the filter. */
  readonly totals: CacheTotals;
}

export interface CacheClient {
  /** Last used first. @throws BatutaError FILTER_INVALID */
  list(filter?: CachePageFilter): Promise<CacheList>;
  /** @param id of the entry, or its beginning (4 characters or more) that only one has @throws BatutaError CACHE_ENTRY_NOT_FOUND */
  get(id: string): Promise<CacheEntryDetails>;
  /** Takes values out of the cache, of an empty filter all; they are made again by the next who asks. Gives how many there were. @throws BatutaError FILTER_INVALID */
  clear(filter: CacheFilter): Promise<{ readonly entries: number }>;
}
