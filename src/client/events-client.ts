/** Contract of events: following what happens, and telling what has happened elsewhere. Times are UTC epoch ms. */
import type { EmittedEvent } from '../model/triggers/trigger.ts';
import type { EventFilter, Page } from '../store/store.ts';
import type { ClientEvent, RunEventsOptions } from './run-events.ts';

/** An event that was emitted, with its payload as a value; undefined for none, and in a list for one that cannot be read (`get` says why). */
export interface EventEntry extends Omit<EmittedEvent, 'payload'> {
  readonly payload: unknown;
}

export interface EmitOptions {
  /** By which it is one event however often it is emitted, 1 to 200 characters. Default a new one. */
  readonly id?: string;
  /** When it occurred, UTC epoch ms or a Date; not in the future. Default now. */
  readonly at?: number | Date;
  /** As of what is submitted: default that of the task in whose code it is emitted. */
  readonly traceparent?: string | undefined;
  /** Default the run in whose code it is emitted. */
  readonly callerRunId?: string | undefined;
}

/** An event as it stands. */
export interface EmitReport extends EventEntry {
  /** Whether there was one of its id already: then that one stands, and nothing was done. */
  readonly isDuplicate: boolean;
}

export interface EventsClient<Events extends AsyncIterable<ClientEvent> = AsyncIterable<ClientEvent>> {
  /**
   * Changes of the states of all runs as they happen, in any process. Begins when the first is asked for, and goes on over restarts of a server; leave the
   * loop, abort `signal` or close the client to end it. One run with its tasks is followed by `runs.watch`.
   *
   * @throws BatutaError FILTER_INVALID; over HTTP what the server refuses; STORE_…
   * @example
   * ```ts
   * for await (const event of client.events({ flow: 'weather' })) if (event.kind === 'run') console.log(event.id, event.state.name);
   * ```
   */
  (options?: RunEventsOptions): Events;
  /**
   * Stores an event; deployments with a trigger for its name are started by a scheduler, each once. Durable when the promise resolves.
   *
   * @param name 1 to 200 letters, digits, `_`, `.`, `:`, `/` and `-`, e.g. `order.created`
   * @param payload what can be recorded, up to 256 KiB
   * @throws BatutaError EVENT_INVALID, RESULT_NOT_SERIALIZABLE, OPTION_INVALID, SECRET_EXPOSED, STORE_…
   */
  emit(name: string, payload?: unknown, options?: EmitOptions): Promise<EmitReport>;
  /** Those that were emitted or came by webhooks, newest first. @throws BatutaError FILTER_INVALID */
  list(filter?: EventFilter): Promise<Page<EventEntry>>;
  /** @throws BatutaError EVENT_NOT_FOUND */
  get(id: string): Promise<EventEntry>;
}
