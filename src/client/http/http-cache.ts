/** The cache over HTTP. */
import { checkFilter } from '../../model/list-filters.ts';
import type { CacheEntry, CacheFilter, CachePageFilter, CacheTotals } from '../../store/store.ts';
import type { CacheClient, CacheEntryDetails, CacheList } from '../cache-client.ts';
import { fromWire, type Wire } from '../wire.ts';
import type { Api } from './api.ts';
import { pageFromWire, type WirePage } from './wire-values.ts';

export class HttpCache implements CacheClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async list(filter: CachePageFilter = {}): Promise<CacheList> {
    checkFilter('cached values', filter);
    const page = await this.#api.get<WirePage<CacheEntry> & { readonly totals: CacheTotals }>('cache', queryOf(filter));
    return { ...pageFromWire<CacheEntry>(page), totals: page.totals };
  }

  async get(id: string): Promise<CacheEntryDetails> {
    return fromWire<CacheEntryDetails>(await this.#api.get<Wire<CacheEntryDetails>>(`cache/${encodeURIComponent(id)}`));
  }

  async clear(filter: CacheFilter): Promise<{ readonly entries: number }> {
    checkFilter('cached values', filter);
    return await this.#api.post<{ readonly entries: number }>('cache/clear', { ...filter }, { repeatable: true });
  }
}

function queryOf({ expired, ...filter }: CachePageFilter): Record<string, string | number> {
  return { ...filter, ...(expired === undefined ? {} : { expired: String(expired) }) };
}
