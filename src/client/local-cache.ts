/** The cache as the local client serves it. */
import { BatutaError } from '../base/errors.ts';
import { programName } from '../base/program-name.ts';
import type { EngineServices } from '../engine/services.ts';
import { removeResults } from '../engine/values/results.ts';
import { checkFilter } from '../model/list-filters.ts';
import { readText } from '../model/values.ts';
import type { CacheFilter, CachePageFilter } from '../store/store.ts';
import type { CacheClient, CacheEntryDetails, CacheList } from './cache-client.ts';
import type { WireValue } from './wire.ts';

export class LocalCache implements CacheClient {
  readonly #services: EngineServices;

  constructor(services: EngineServices) {
    this.#services = services;
  }

  async list(filter: CachePageFilter = {}): Promise<CacheList> {
    checkFilter('cached values', filter);
    const { cache } = this.#services.store;
    const [page, totals] = await Promise.all([cache.list({ ...filter, at: this.#services.clock.now() }), cache.totals()]);
    return { ...page, totals };
  }

  async get(id: string): Promise<CacheEntryDetails> {
    const found = await this.#services.store.cache.get(id);
    if (found === null)
      throw new BatutaError(
        'CACHE_ENTRY_NOT_FOUND',
        `The cache has no entry ${id}, or several that begin with it. ${programName()} cache ls lists them.`,
        {
          details: { entry: id },
        },
      );
    const { result, resultRef, ...entry } = found;
    return { ...entry, result: result === null ? null : (readText(result) as WireValue), isLarge: resultRef !== null };
  }

  async clear(filter: CacheFilter): Promise<{ readonly entries: number }> {
    checkFilter('cached values', filter);
    const { store, clock } = this.#services;
    const { entries, resultRefs } = await store.cache.remove({ ...filter, at: clock.now() });
    await removeResults(this.#services, { runIds: [], resultRefs });
    return { entries };
  }
}
