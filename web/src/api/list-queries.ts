/** Queries of the lists and the home page. Cache keys begin with the name of what is listed. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import type { FoundArtifact } from '../../../src/client/artifacts-client.ts';
import type { Wire } from '../../../src/client/wire.ts';
import { get, type Query } from './http.ts';
import type {
  ArtifactKeyRow,
  ArtifactRow,
  Audit,
  Bucket,
  CacheFigures,
  CacheRow,
  Facets,
  HealthView,
  HomeView,
  Key,
  Limit,
  ListPage,
  Queue,
  Reporter,
  RunRow,
  SettingRow,
  Worker,
} from './wire-types.ts';

/** Poll interval of figures without events, ms. */
const slowlyMs = 15_000;

/** The same while something runs, as no event carries progress, ms. */
const progressMs = 5_000;

/** The home page over the last `stretchMs`. */
export const overviewQuery = (stretchMs: number) =>
  queryOptions({
    queryKey: ['overview', stretchMs],
    queryFn: ({ signal }) => get<HomeView>('/overview', { since: new Date(Date.now() - stretchMs).toISOString() }, signal),
    refetchInterval: ({ state: { data } }) => (data !== undefined && data.runningNow.length > 0 ? progressMs : slowlyMs),
    placeholderData: keepPreviousData,
  });

/** Values that filters can take. */
export const facetsQuery = queryOptions({
  queryKey: ['facets'],
  queryFn: ({ signal }) => get<Facets>('/facets', undefined, signal),
  staleTime: 60_000,
});

/** How long a list counts as fresh, ms. */
const freshMs = 2_000;

/** Runs in one page. */
export const runsPageSize = 100;

/** One page of the matching runs. */
export function fetchRuns(query: Query, cursor: string | undefined, signal?: AbortSignal): Promise<ListPage<RunRow>> {
  return get<ListPage<RunRow>>('/runs', { ...query, limit: runsPageSize, cursor }, signal);
}

/**
 * The matching runs, page by page, newest first. Live events change it in place; it is never refetched in the background.
 * `key` identifies the filters; `queryNow` returns the query at request time, as "the last hour" moves on.
 */
export const runsQuery = (key: object, queryNow: () => Query) =>
  infiniteQueryOptions({
    queryKey: ['runs', key],
    queryFn: ({ pageParam, signal }) => fetchRuns(queryNow(), pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    // Rows received while the page itself was loading count as fresh.
    refetchOnMount: ({ state }) => (Date.now() - state.dataUpdatedAt < freshMs ? false : 'always'),
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    placeholderData: keepPreviousData,
  });

/** Number of matching runs per state, over the time range of the filter. */
export const histogramQuery = (key: object, queryNow: () => Query) =>
  queryOptions({
    queryKey: ['histogram', key],
    queryFn: ({ signal }) => get<{ readonly items: readonly Bucket[] }>('/runs/histogram', queryNow(), signal),
    select: ({ items }) => items,
    refetchInterval: slowlyMs,
    placeholderData: keepPreviousData,
  });

/** Health checks of the fleet. */
export const healthQuery = queryOptions({
  queryKey: ['health'],
  queryFn: ({ signal }) => get<HealthView>('/health', undefined, signal),
  refetchInterval: progressMs,
});

/** Workers with their last heartbeats. */
export const workersQuery = queryOptions({
  queryKey: ['workers'],
  queryFn: ({ signal }) => get<{ readonly items: readonly Worker[] }>('/workers', undefined, signal),
  select: ({ items }) => items,
  refetchInterval: 5_000,
});

/** Programs that report from elsewhere. */
export const reportersQuery = queryOptions({
  queryKey: ['reporters'],
  queryFn: ({ signal }) => get<{ readonly items: readonly Reporter[] }>('/reporters', undefined, signal),
  select: ({ items }) => items,
  refetchInterval: 5_000,
});

/** Queues with their waiting runs. */
export const queuesQuery = queryOptions({
  queryKey: ['queues'],
  queryFn: ({ signal }) => get<{ readonly items: readonly Queue[] }>('/queues', undefined, signal),
  select: ({ items }) => items,
  refetchInterval: 5_000,
});

/** Limits with their holders and waiters. */
export const limitsQuery = queryOptions({
  queryKey: ['limits'],
  queryFn: ({ signal }) => get<{ readonly items: readonly Limit[] }>('/limits', undefined, signal),
  select: ({ items }) => items,
  refetchInterval: 5_000,
});

/** Cache entries, last used first, with total figures. */
export const cacheQuery = infiniteQueryOptions({
  queryKey: ['cache'],
  queryFn: ({ pageParam, signal }) =>
    get<ListPage<CacheRow> & { readonly totals: CacheFigures }>('/cache', { limit: 50, cursor: pageParam }, signal),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (last) => last.next ?? undefined,
  refetchInterval: slowlyMs,
});

/** Artifacts across runs, newest first. */
export const artifactsQuery = (query: Query) =>
  infiniteQueryOptions({
    queryKey: ['artifacts', query],
    queryFn: ({ pageParam, signal }) => get<ListPage<ArtifactRow>>('/artifacts', { ...query, limit: 50, cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
    placeholderData: keepPreviousData,
  });

/** An artifact with all its data. */
export const artifactQuery = (id: string) =>
  queryOptions({
    queryKey: ['artifact', id],
    queryFn: ({ signal }) => get<Wire<FoundArtifact>>(`/artifacts/${encodeURIComponent(id)}`, undefined, signal),
  });

/** Keys under which artifacts have versions, each with its newest. */
export const artifactKeysQuery = (search: string | undefined) =>
  infiniteQueryOptions({
    queryKey: ['artifact-keys', search ?? ''],
    queryFn: ({ pageParam, signal }) => get<ListPage<ArtifactKeyRow>>('/artifacts/keys', { search, limit: 50, cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
    placeholderData: keepPreviousData,
  });

/** API keys, newest first. For admins. */
export const keysQuery = queryOptions({
  queryKey: ['keys'],
  queryFn: ({ signal }) => get<{ readonly items: readonly Key[] }>('/keys', undefined, signal),
  select: ({ items }) => items,
});

/** Who changed what, newest first. For admins. */
export const auditQuery = infiniteQueryOptions({
  queryKey: ['audit'],
  queryFn: ({ pageParam, signal }) => get<ListPage<Audit>>('/audit', { limit: 100, cursor: pageParam }, signal),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (last) => last.next ?? undefined,
});

/** Settings of the server, secrets masked. */
export const settingsQuery = queryOptions({
  queryKey: ['settings'],
  queryFn: ({ signal }) => get<{ readonly items: readonly SettingRow[] }>('/settings', undefined, signal),
  select: ({ items }) => items,
  staleTime: 60_000,
});
