/** Queries of the alerts page. Instants are epoch ms from here on. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { AlertView, SentFiring } from '../../../src/client/alerts-client.ts';
import { fromWire, type Wire } from '../../../src/client/wire.ts';
import type { Alert, AlertSilence } from '../../../src/model/alerts/alert.ts';
import type { AlertRule } from '../../../src/model/alerts/rule.ts';
import type { ErrorGroup } from '../../../src/model/error-group.ts';
import { get } from './http.ts';
import type { ListPage } from './wire-types.ts';

const everyMs = 5_000;

/** Firing alerts or all, last found first. */
export const alertsQuery = (show: 'firing' | 'all') =>
  infiniteQueryOptions({
    queryKey: ['alerts', 'list', show],
    queryFn: async ({ pageParam, signal }): Promise<ListPage<Alert>> =>
      fromWire<ListPage<Alert>>(
        await get<Wire<ListPage<Alert>>>(
          '/alerts',
          { limit: 50, cursor: pageParam, state: show === 'all' ? undefined : ['firing'] },
          signal,
        ),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
    refetchInterval: everyMs,
  });

/** An alert with its deliveries. */
export const alertQuery = (id: string) =>
  queryOptions({
    queryKey: ['alerts', 'one', id],
    queryFn: async ({ signal }): Promise<AlertView> =>
      fromWire<AlertView>(await get<Wire<AlertView>>(`/alerts/${encodeURIComponent(id)}`, undefined, signal)),
    refetchInterval: everyMs,
  });

/** By name. */
export const alertRulesQuery = queryOptions({
  queryKey: ['alerts', 'rules'],
  queryFn: async ({ signal }): Promise<readonly AlertRule[]> =>
    (await get<{ readonly items: readonly Wire<AlertRule>[] }>('/alert-rules', undefined, signal)).items.map((item) =>
      fromWire<AlertRule>(item),
    ),
  refetchInterval: 15_000,
});

/** Firings of a rule, newest first. */
export const ruleFiringsQuery = (rule: string) =>
  queryOptions({
    queryKey: ['alerts', 'firings', rule],
    queryFn: async ({ signal }): Promise<readonly SentFiring[]> =>
      (
        await get<{ readonly items: readonly Wire<SentFiring>[] }>(
          `/alert-rules/${encodeURIComponent(rule)}/firings`,
          { limit: 50 },
          signal,
        )
      ).items.map((item) => fromWire<SentFiring>(item)),
    refetchInterval: everyMs,
  });

/** Active silences, earliest end first. */
export const silencesQuery = queryOptions({
  queryKey: ['alerts', 'silences'],
  queryFn: async ({ signal }): Promise<readonly AlertSilence[]> =>
    (await get<{ readonly items: readonly Wire<AlertSilence>[] }>('/alert-silences', undefined, signal)).items.map((item) =>
      fromWire<AlertSilence>(item),
    ),
  refetchInterval: 15_000,
});

/** Last seen first. */
export const errorsQuery = (show: 'open' | 'all') =>
  infiniteQueryOptions({
    queryKey: ['errors', show],
    queryFn: async ({ pageParam, signal }): Promise<ListPage<ErrorGroup>> =>
      fromWire<ListPage<ErrorGroup>>(
        await get<Wire<ListPage<ErrorGroup>>>('/errors', { limit: 50, cursor: pageParam, state: show }, signal),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
    refetchInterval: everyMs,
  });
