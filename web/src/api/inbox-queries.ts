/** Queries of the inbox. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import type { InboxEntry } from '../../../src/client/inbox-client.ts';
import type { InboxStatus } from '../../../src/model/inbox.ts';
import type { Wire } from '../../../src/client/wire.ts';
import { get } from './http.ts';
import type { ListPage } from './wire-types.ts';

export type InboxRow = Wire<InboxEntry>;

/** Poll interval for new decisions, ms. */
const refreshMs = 5_000;

/** Decisions, newest first. */
export const inboxQuery = (status: InboxStatus | 'all') =>
  infiniteQueryOptions({
    queryKey: ['inbox', status],
    queryFn: ({ pageParam, signal }) => get<ListPage<InboxRow>>('/inbox', { status, limit: 50, cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
    refetchInterval: refreshMs,
    placeholderData: keepPreviousData,
  });

/** One decision. */
export const inboxItemQuery = (id: string) =>
  queryOptions({
    queryKey: ['inbox', 'one', id],
    queryFn: ({ signal }) => get<InboxRow>(`/inbox/${encodeURIComponent(id)}`, undefined, signal),
  });

/** The decisions of a run. */
export const runInboxQuery = (runId: string) =>
  queryOptions({
    queryKey: ['inbox', 'run', runId],
    queryFn: ({ signal }) => get<ListPage<InboxRow>>('/inbox', { status: 'all', run: runId, limit: 100 }, signal),
    select: ({ items }) => items,
    refetchInterval: refreshMs,
  });
