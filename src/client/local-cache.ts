/** The cache as the local client serves it. */
import { BatutaError } from '../base/errors.ts';
import { programName } from '../base/program-name.ts';
import type { EngineServices } from '../engine/services.ts';
import { removeResults } from '../engine/values/results.ts';
import { checkFilter } from '../model/list-filters.ts';
import { readText } from '../model/values.ts';
import type { CacheClient } from './cache-client.ts';
import type { WireValue } from './wire.ts';

export function localCache(services: EngineServices): CacheClient {
  const { store, clock } = services;
  return {
    async list(filter = {}) {
      checkFilter('cached values', filter);
      const [page, totals] = await Promise.all([store.cache.list({ ...filter, at: clock.now() }), store.cache.totals()]);
      return { ...page, totals };
    },
    async get(id) {
      const found = await store.cache.get(id);
      if (found === null)
        throw new BatutaError(
          'CACHE_ENTRY_NOT_FOUND',
          `The cache has no entry ${id}, or several that begin with it. ${programName()} cache ls lists them.`,
          { details: { entry: id } },
        );
      const { result, resultRef, ...entry } = found;
      return { ...entry, result: result === null ? null : (readText(result) as WireValue), isLarge: resultRef !== null };
    },
    async clear(filter) {
      checkFilter('cached values', filter);
      const { entries, resultRefs } = await store.cache.remove({ ...filter, at: clock.now() });
      await removeResults(services, { runIds: [], resultRefs });
      return { entries };
    },
  };
}
