/** Queries of the flow pages. Instants are epoch ms from here on. */
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import type { DayFigures, Figures, FlowFigures, TaskWorkerView } from '../../../src/client/fleet-client.ts';
import { fromWire, type Wire } from '../../../src/client/wire.ts';
import type { StoredFlow } from '../../../src/store/store.ts';
import { get } from './http.ts';

/** A flow with figures of recently ended runs; null if there are none. */
export type FlowRow = Omit<StoredFlow, 'graph'> & { readonly figures: Figures | null };

export interface FlowView {
  readonly flow: StoredFlow;
  readonly figures: FlowFigures;
}

export const flowsQuery = (sinceDays: number) =>
  queryOptions({
    queryKey: ['flows', sinceDays],
    queryFn: async ({ signal }): Promise<readonly FlowRow[]> =>
      fromWire<readonly FlowRow[]>(
        (await get<{ items: Wire<readonly FlowRow[]> }>('/flows', { since: daysAgo(sinceDays), graph: false }, signal)).items,
      ),
    refetchInterval: 15_000,
    placeholderData: keepPreviousData,
  });

export const flowQuery = (name: string, sinceDays: number) =>
  queryOptions({
    queryKey: ['flows', 'one', name, sinceDays],
    queryFn: async ({ signal }): Promise<FlowView> =>
      fromWire<FlowView>(await get<Wire<FlowView>>(`/flows/${encodeURIComponent(name)}`, { since: daysAgo(sinceDays) }, signal)),
    placeholderData: keepPreviousData,
  });

/** Tasks of a flow by the process that executed them, by task. */
export const taskWorkersQuery = (name: string, sinceDays: number) =>
  queryOptions({
    queryKey: ['flows', 'workers', name, sinceDays],
    queryFn: async ({ signal }): Promise<readonly TaskWorkerView[]> =>
      (await get<{ items: readonly TaskWorkerView[] }>(`/flows/${encodeURIComponent(name)}/workers`, { since: daysAgo(sinceDays) }, signal))
        .items,
    placeholderData: keepPreviousData,
  });

/** A year of days of a flow or deployment. */
export const daysQuery = (of: 'flows' | 'deployments', name: string) =>
  queryOptions({
    queryKey: [of, 'days', name],
    queryFn: async ({ signal }): Promise<readonly DayFigures[]> =>
      fromWire<readonly DayFigures[]>(
        (await get<{ items: Wire<readonly DayFigures[]> }>(`/${of}/${encodeURIComponent(name)}/days`, undefined, signal)).items,
      ),
    staleTime: 60_000,
  });

function daysAgo(days: number): string {
  return new Date(Date.now() - days * 86_400_000).toISOString();
}
