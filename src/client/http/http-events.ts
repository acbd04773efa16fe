/** Events and webhooks over HTTP. */
import { checkFilter } from '../../model/list-filters.ts';
import { currentScope } from '../../model/run-context.ts';
import { activeTraceparent, traceparentOf } from '../../model/trace.ts';
import { decodeValue } from '../../model/values.ts';
import type { EmitReport, EventEntry, EventsClient } from '../events-client.ts';
import type { ClientEvent, RunEventsOptions } from '../run-events.ts';
import type { WebhooksClient } from '../webhooks-client.ts';
import { fromWire, type Wire, type WireValue } from '../wire.ts';
import type { Api } from './api.ts';
import { runEventsOverHttp } from './run-events.ts';
import { isoOf, pageFromWire, pathTo, put, read, readItems, remove, valueToWire, type WirePage } from './wire-values.ts';

export type HttpEvents = EventsClient<AsyncGenerator<ClientEvent>>;

type WireEvent<T extends EventEntry> = Wire<Omit<T, 'payload'>> & { readonly data: WireValue | null };

export function httpEvents(api: Api): HttpEvents {
  return Object.assign((options: RunEventsOptions = {}) => runEventsOverHttp(api, options), {
    async emit(...[name, payload, options = {}]: Parameters<EventsClient['emit']>): ReturnType<EventsClient['emit']> {
      const { at, ...rest } = options;
      const scope = currentScope();
      const own = scope && {
        callerRunId: scope.runId,
        traceparent: activeTraceparent() ?? traceparentOf(scope.runId, scope.taskRunId ?? scope.runId, scope.traceparent ?? null),
      };
      const body = { name, ...own, ...rest, payload: valueToWire(payload, `payload of event ${name}`), at: isoOf(at) };
      return eventFrom<EmitReport>(await api.post<WireEvent<EmitReport>>('events', body, { repeatable: options.id !== undefined }));
    },
    async list(filter: Parameters<EventsClient['list']>[0] = {}): ReturnType<EventsClient['list']> {
      checkFilter('events', filter);
      const { since, until, ...rest } = filter;
      const query = { ...rest, since: isoOf(since), until: isoOf(until) };
      return pageFromWire<EventEntry>(await api.get<WirePage<EventEntry>>('events/emitted', query), (item) =>
        eventFrom<EventEntry>(item as unknown as WireEvent<EventEntry>),
      );
    },
    async get(id: string): ReturnType<EventsClient['get']> {
      return eventFrom<EventEntry>(await api.get<WireEvent<EventEntry>>(pathTo(['events', 'emitted', id])));
    },
  });
}

function eventFrom<T extends EventEntry>({ data, ...event }: WireEvent<T>): T {
  const payload = data === null ? undefined : decodeValue(JSON.stringify(data));
  return { ...fromWire<object>(event), payload } as T;
}

export function httpWebhooks(api: Api): WebhooksClient {
  return {
    list: () => readItems(api, ['webhooks']),
    get: (name) => read(api, ['webhooks', name]),
    set: (name, spec) => put(api, ['webhooks', name], spec),
    delete: (name) => remove(api, ['webhooks', name]),
    test: async (name, body, headers = {}) => await api.post(pathTo(['webhooks', name, 'test']), { body, headers }, { repeatable: true }),
  };
}
