/** Queries of the deployment pages. Instants are epoch ms from here on. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import type { BackfillView, DeploymentView } from '../../../src/client/deployments-client.ts';
import { fromWire, type Wire } from '../../../src/client/wire.ts';
import type { DeploymentVersion } from '../../../src/model/deployment.ts';
import type { Schedule } from '../../../src/model/schedule/schedule.ts';
import { previewBody } from '../schedule/preview-body.ts';
import { get, type Query, send } from './http.ts';
import type { ListPage } from './wire-types.ts';

export interface SchedulePreview {
  /** The schedule in plain English. */
  readonly words: string;
  /** UTC epoch ms. */
  readonly ticks: readonly number[];
  /** Effects of clock changes, one sentence each. */
  readonly warnings: readonly string[];
}

export const deploymentsQuery = (query: Query) =>
  infiniteQueryOptions({
    queryKey: ['deployments', 'list', query],
    queryFn: async ({ pageParam, signal }): Promise<ListPage<DeploymentView>> =>
      fromWire<ListPage<DeploymentView>>(
        await get<Wire<ListPage<DeploymentView>>>('/deployments', { ...query, limit: 200, cursor: pageParam }, signal),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
    refetchInterval: 15_000,
    placeholderData: keepPreviousData,
  });

export const deploymentQuery = (name: string) =>
  queryOptions({
    queryKey: ['deployments', 'one', name],
    queryFn: async ({ signal }): Promise<DeploymentView> =>
      fromWire<DeploymentView>(await get<Wire<DeploymentView>>(deploymentPath(name), undefined, signal)),
    refetchInterval: 15_000,
  });

/** Newest first, each with its graph. */
export const versionsQuery = (name: string) =>
  infiniteQueryOptions({
    queryKey: ['deployments', 'versions', name],
    queryFn: async ({ pageParam, signal }): Promise<ListPage<DeploymentVersion>> =>
      fromWire<ListPage<DeploymentVersion>>(
        await get<Wire<ListPage<DeploymentVersion>>>(`${deploymentPath(name)}/versions`, { limit: 20, cursor: pageParam }, signal),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
  });

/** Next ticks of a schedule from now on. */
export const previewQuery = (schedule: Schedule, count: number) =>
  queryOptions({
    queryKey: ['schedules', schedule, count],
    queryFn: async (): Promise<SchedulePreview> => {
      const { words, ticks, warnings } = await send<{ words: string; ticks: readonly string[]; warnings: readonly string[] }>(
        'POST',
        '/schedules/preview',
        { ...previewBody(schedule), count },
      );
      return { words, ticks: ticks.map((tick) => Date.parse(tick)), warnings };
    },
    staleTime: 30_000,
    refetchInterval: 60_000,
  });

/** Newest first, at most 50; polled often while one is running. */
export const backfillsQuery = (deployment: string) =>
  queryOptions({
    queryKey: ['backfills', deployment],
    queryFn: async ({ signal }): Promise<readonly BackfillView[]> =>
      fromWire<readonly BackfillView[]>(
        (await get<{ items: Wire<readonly BackfillView[]> }>('/backfills', { deployment, limit: 50 }, signal)).items,
      ),
    refetchInterval: ({ state }) => (state.data?.some(({ endedAt }) => endedAt === null) === true ? 2_000 : 30_000),
  });

/** `/deployments/:name`, for the API. */
export function deploymentPath(name: string): string {
  return `/deployments/${encodeURIComponent(name)}`;
}
