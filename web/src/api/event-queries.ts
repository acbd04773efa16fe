/** Queries of the pages of events, webhooks and triggers. Instants are epoch ms from here on. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { TriggersView } from '../../../src/client/deployments-client.ts';
import { fromWire, type Wire, type WireValue } from '../../../src/client/wire.ts';
import type { EmittedEvent } from '../../../src/model/triggers/trigger.ts';
import type { Webhook } from '../../../src/model/triggers/webhook.ts';
import { deploymentPath } from './deployment-queries.ts';
import { get } from './http.ts';
import type { ListPage } from './wire-types.ts';

/** An event with its payload in wire form. */
export type EventRow = Omit<EmittedEvent, 'payload'> & { readonly data: WireValue | null };

export const triggersQuery = (name: string) =>
  queryOptions({
    queryKey: ['deployments', 'triggers', name],
    queryFn: async ({ signal }): Promise<TriggersView> =>
      fromWire<TriggersView>(await get<Wire<TriggersView>>(`${deploymentPath(name)}/triggers`, undefined, signal)),
    refetchInterval: 5_000,
  });

/** Newest first. */
export const eventsQuery = infiniteQueryOptions({
  queryKey: ['events', 'emitted'],
  queryFn: async ({ pageParam, signal }): Promise<ListPage<EventRow>> =>
    fromWire<ListPage<EventRow>>(await get<Wire<ListPage<EventRow>>>('/events/emitted', { limit: 50, cursor: pageParam }, signal)),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (last) => last.next ?? undefined,
  refetchInterval: 5_000,
});

/** By name. */
export const webhooksQuery = queryOptions({
  queryKey: ['webhooks'],
  queryFn: async ({ signal }): Promise<readonly Webhook[]> =>
    (await get<{ readonly items: readonly Wire<Webhook>[] }>('/webhooks', undefined, signal)).items.map((item) => fromWire<Webhook>(item)),
  refetchInterval: 15_000,
});
