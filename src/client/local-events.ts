/** Events of the local client, over an open store. */
import { checkFilter } from '../model/list-filters.ts';
import type { EngineServices } from '../engine/services.ts';
import { emitEvent, entryOf, listedEntryOf, noEvent } from './emit-event.ts';
import type { EventsClient } from './events-client.ts';
import type { ClientEvent, RunEventsOptions } from './run-events.ts';

export type LocalEvents = EventsClient<AsyncGenerator<ClientEvent>>;

export interface LocalEventsParts {
  readonly services: EngineServices;
  readonly follow: (options?: RunEventsOptions) => AsyncGenerator<ClientEvent>;
  /** Has schedulers check at once. Best effort, never rejects. */
  readonly tellSchedulers: () => Promise<void>;
}

export function localEvents({ services, follow, tellSchedulers }: LocalEventsParts): LocalEvents {
  const { emitted } = services.store;
  return Object.assign((options?: RunEventsOptions) => follow(options), {
    async emit(...[name, payload, options = {}]: Parameters<EventsClient['emit']>): ReturnType<EventsClient['emit']> {
      const report = await emitEvent(services, name, payload, options);
      if (!report.isDuplicate) await tellSchedulers();
      return report;
    },
    async list(filter: Parameters<EventsClient['list']>[0] = {}): ReturnType<EventsClient['list']> {
      checkFilter('events', filter);
      const { items, next } = await emitted.list(filter);
      return { items: items.map(listedEntryOf), next };
    },
    async get(id: string): ReturnType<EventsClient['get']> {
      const event = await emitted.get(id);
      if (event === null) throw noEvent(id);
      return entryOf(event);
    },
  });
}
