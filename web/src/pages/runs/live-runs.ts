/**
 * The rows of the list, kept in step with the server without jumps: rows change in place, and new ones are
 * counted until they are requested.
 */
import { type InfiniteData, useInfiniteQuery } from '@tanstack/react-query';
import { useEffect, useEffectEvent, useMemo, useRef, useState } from 'react';
import { fetchRuns } from '../../api/list-queries.ts';
import { useLive } from '../../api/live.ts';
import { queryClient } from '../../api/query-client.ts';
import { useThrottledLive } from '../../api/refresh.ts';
import type { ListPage, RunEvent, RunRow } from '../../api/wire-types.ts';
import { timeNow } from '../../now.ts';
import { patchedRow } from './run-words.ts';
import { listQuery } from './runs-queries.ts';
import { filterOf, type RunsSearch } from './runs-search.ts';

type Pages = InfiniteData<ListPage<RunRow>, string | undefined>;

/** Refresh interval of rows while events arrive, and while some of them run (their task runs change without events of the run), ms. */
const refreshMs = 2_000;
const progressMs = 5_000;
/** Most pages refreshed at a time; those further down change only by events. */
const mostPages = 3;

/** The list as shown, with its actions. */
export interface LiveRuns {
  readonly runs: readonly RunRow[];
  readonly isLoading: boolean;
  readonly error: unknown;
  /** Matching runs that are not in the list yet. */
  readonly newCount: number;
  /** Shows them: the list starts over. */
  readonly showNew: () => void;
  readonly hasMore: boolean;
  readonly isLoadingMore: boolean;
  readonly loadMore: () => void;
}

/** The runs of the filters, live. */
export function useLiveRuns(search: RunsSearch): LiveRuns {
  const options = listQuery(search);
  const { queryKey } = options;
  const query = useInfiniteQuery(options);
  const [newIds, setNewIds] = useState<ReadonlySet<string>>(new Set());
  const { data } = query as { readonly data: Pages | undefined };
  const runs = useMemo(() => uniqueRows(data), [data]);

  useLive<RunEvent>('run', (event) => {
    queryClient.setQueryData<Pages>(queryKey, (pages) => mapRows(pages, (run) => (run.id === event.id ? patchedRow(run, event) : run)));
  });

  const missed = useRef(false);
  const refresh = async (): Promise<void> => {
    const pages = queryClient.getQueryData<Pages>(queryKey);
    // A pending response may be older than this request, and would overwrite its result.
    missed.current = pages === undefined || queryClient.isFetching({ queryKey, exact: true }) > 0;
    if (pages === undefined || missed.current) return;
    const wanted = pages.pages.map((_page, index) => index).filter((index) => index === 0 || isMoving(pages.pages[index]));
    const answers = await Promise.all(wanted.slice(0, mostPages).map((index) => askPage(search, pages.pageParams[index])));
    const fresh = new Map(answers.flatMap((answer) => (answer?.items ?? []).map((run) => [run.id, run] as const)));
    queryClient.setQueryData<Pages>(queryKey, (now) => mapRows(now, (run) => fresh.get(run.id) ?? run));
    const known = new Set(uniqueRows(queryClient.getQueryData<Pages>(queryKey)).map(({ id }) => id));
    const first = answers[0]?.items.filter(({ id }) => !known.has(id)).map(({ id }) => id) ?? [];
    if (first.some((id) => !newIds.has(id))) setNewIds(new Set([...newIds, ...first]));
  };

  useThrottledLive<RunEvent>(
    'run',
    refreshMs,
    (event) => mayFit(event, search),
    () => void refresh(),
  );
  useLive('gap', () => void refresh());
  const onFetched = useEffectEvent(() => {
    if (missed.current) void refresh();
  });
  useEffect(() => {
    if (!query.isFetching) onFetched();
  }, [query.isFetching]);
  const onTick = useEffectEvent(() => {
    if (!document.hidden && runs.some(({ state }) => state.type === 'RUNNING')) void refresh();
  });
  useEffect(() => {
    const timer = setInterval(() => onTick(), progressMs);
    return () => clearInterval(timer);
  }, []);

  return {
    runs,
    isLoading: query.isLoading,
    error: query.error,
    newCount: newIds.size,
    showNew: () => {
      setNewIds(new Set());
      queryClient.setQueryData<Pages>(
        queryKey,
        (pages) => pages && { pages: pages.pages.slice(0, 1), pageParams: pages.pageParams.slice(0, 1) },
      );
      void query.refetch();
    },
    hasMore: query.hasNextPage,
    isLoadingMore: query.isFetchingNextPage,
    loadMore: () => void query.fetchNextPage(),
  };
}

/** Fetches a page; on failure the next refresh tries again. */
async function askPage(search: RunsSearch, cursor: string | undefined): Promise<ListPage<RunRow> | null> {
  return fetchRuns(filterOf(search, timeNow()), cursor).catch(() => null);
}

/** Pages shift while new runs arrive, so a run may be in two of them. */
function uniqueRows(data: Pages | undefined): readonly RunRow[] {
  const rows = new Map<string, RunRow>();
  for (const page of data?.pages ?? []) for (const run of page.items) if (!rows.has(run.id)) rows.set(run.id, run);
  return [...rows.values()];
}

function mapRows(data: Pages | undefined, change: (run: RunRow) => RunRow): Pages | undefined {
  if (data === undefined) return undefined;
  const pages = data.pages.map((page) => {
    const items = page.items.map(change);
    return items.every((item, index) => item === page.items[index]) ? page : { ...page, items };
  });
  return pages.every((page, index) => page === data.pages[index]) ? data : { ...data, pages };
}

function isMoving(page: ListPage<RunRow> | undefined): boolean {
  return page?.items.some(({ state }) => state.type === 'RUNNING' || state.type === 'PENDING' || state.type === 'CANCELLING') === true;
}

/** Whether the run of an event may match; filters on fields missing in the event are left to the server. */
function mayFit(event: RunEvent, { flow, deployment }: RunsSearch): boolean {
  return (flow === undefined || event.flow === flow) && (deployment === undefined || event.deployment === deployment);
}
