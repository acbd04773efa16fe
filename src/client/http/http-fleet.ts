/** The fleet as a whole, limits, the cache, keys and the audit, over HTTP. */
import { checkFilter } from '../../model/list-filters.ts';
import type { CacheEntry, CacheTotals } from '../../store/store.ts';
import type { ApiKey, AuditClient, KeysClient } from '../access-client.ts';
import type { CacheClient } from '../cache-client.ts';
import type { Figures, FiguresClient, FlowFigures, LimitsClient, RunListItem, TaskWorkerView } from '../fleet-client.ts';
import { fromWire, toWire, type Wire } from '../wire.ts';
import type { Api } from './api.ts';
import { isoOf, pageFromWire, pathTo, put, read, readFiltered, readItems, remove, runQuery, type WirePage } from './wire-values.ts';

export function httpLimits(api: Api): LimitsClient {
  return {
    list: () => readItems(api, ['limits']),
    set: (name, slots) => put(api, ['limits', name], { slots }),
    setRate: (name, rate) => put(api, ['limits', name], rate),
    delete: (name, which) => remove(api, ['limits', name], { which }),
  };
}

export function httpCache(api: Api): CacheClient {
  return {
    async list(filter = {}) {
      checkFilter('cached values', filter);
      const page = await api.get<WirePage<CacheEntry> & { readonly totals: CacheTotals }>('cache', { ...filter });
      return { ...pageFromWire<CacheEntry>(page), totals: page.totals };
    },
    get: (id) => read(api, ['cache', id]),
    async clear(filter) {
      checkFilter('cached values', filter);
      return await api.post('cache/clear', { ...filter }, { repeatable: true });
    },
  };
}

export function httpFigures(api: Api): FiguresClient {
  return {
    overview: async ({ sinceAt } = {}) => await read(api, ['overview'], { since: isoOf(sinceAt) }),
    runs: async (filter = {}) => pageFromWire<RunListItem>(await api.get('runs', runQuery(filter)), listItemOf),
    histogram: async (filter = {}, { buckets, fromAt, untilAt } = {}) =>
      await readItems(api, ['runs', 'histogram'], { ...runQuery(filter), buckets, from: isoOf(fromAt), to: isoOf(untilAt) }),
    async flows({ sinceAt } = {}) {
      const query = { since: isoOf(sinceAt), graph: false };
      const { items } = await api.get<{ readonly items: readonly { readonly figures: Figures | null }[] }>('flows', query);
      return items.flatMap(({ figures }) => figures ?? []);
    },
    async flow(name, { sinceAt } = {}) {
      return (await api.get<{ readonly figures: FlowFigures }>(pathTo(['flows', name]), { since: isoOf(sinceAt) })).figures;
    },
    async taskWorkers(name, { sinceAt } = {}) {
      const path = pathTo(['flows', name, 'workers']);
      return (await api.get<{ readonly items: readonly TaskWorkerView[] }>(path, { since: isoOf(sinceAt) })).items;
    },
    days: ({ flow, deployment }) =>
      readItems(api, flow === undefined ? ['deployments', deployment ?? '', 'days'] : ['flows', flow, 'days']),
    queues: () => readItems(api, ['queues']),
    workers: () => readItems(api, ['workers']),
    reporters: () => readItems(api, ['reporters']),
    facets: () => api.get('facets'),
  };
}

export function httpKeys(api: Api): KeysClient {
  return {
    async create(options) {
      const { key, entry } = await api.post<{ readonly key: string; readonly entry: Wire<ApiKey> }>('keys', toWire(options));
      return { key, entry: fromWire<ApiKey>(entry) };
    },
    list: () => readItems(api, ['keys']),
    revoke: async (id) => fromWire<ApiKey>(await api.request<Wire<ApiKey>>('DELETE', pathTo(['keys', id]))),
  };
}

export function httpAudit(api: Api): AuditClient {
  return { list: (filter) => readFiltered(api, 'changes', ['audit'], filter) };
}

function listItemOf(
  item: Wire<RunListItem> & { readonly durationMs?: unknown; readonly waitingMs?: unknown; readonly wallMs?: unknown },
): RunListItem {
  const { durationMs: _durationMs, waitingMs: _waitingMs, wallMs: _wallMs, ...rest } = item;
  // Older servers do not send it.
  return { ...fromWire<RunListItem>(rest), pinnedTo: item.pinnedTo ?? null };
}
