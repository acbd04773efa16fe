/** Contract of events: following what happens to runs, and emitting external events. Times are UTC epoch ms. */
import type { EmittedEvent } from '../model/triggers/trigger.ts';
import type { EventFilter, Page } from '../store/store.ts';
import type { ClientEvent, RunEventsOptions } from './run-events.ts';

/** An emitted event, with its payload as a value; undefined for none, and in a list for one that cannot be read (`get` says why). */
export interface EventEntry extends Omit<EmittedEvent, 'payload'> {
  readonly payload: unknown;
}

export interface EmitOptions {
  /** Identifies the event however often it is emitted, 1 to 200 characters. Default a new one. */
  readonly id?: string;
  /** When it occurred, UTC epoch ms or a Date; not in the future. Default now. */
  readonly at?: number | Date;
  /** As of what is submitted: default that of the task whose code emits it. */
  readonly traceparent?: string | undefined;
  /** Default the run whose code emits it. */
  readonly callerRunId?: string | undefined;
}

/** An event as stored. */
export interface EmitReport extends EventEntry {
  /** Whether its id already existed: then that event stays, and nothing was done. */
  readonly isDuplicate: boolean;
}

export interface EventsClient<Events extends AsyncIterable<ClientEvent> = AsyncIterable<ClientEvent>> {
  /**
   * Changes of the states of all runs as they happen, in any process. Begins when the first is requested, and continues across server
   * restarts; leave the loop, abort `signal` or close the client to end it. To follow one run with its tasks, use `runs.watch`.
   *
   * @throws BatutaError FILTER_INVALID; over HTTP what the server refuses; STORE_…
   * @example
   * ```ts
   * for await (const event of client.events({ flow: 'weather' })) if (event.kind === 'run') console.log(event.id, event.state.name);
   * ```
   */
  (options?: RunEventsOptions): Events;
  /**
   * Stores an event; a scheduler starts each deployment with a trigger for its name once. Durable when the promise resolves.
   *
   * @param name 1 to 200 letters, digits, `_`, `.`, `:`, `/` and `-`, e.g. `order.created`
   * @param payload any recordable value, up to 256 KiB
   * @throws BatutaError EVENT_INVALID, RESULT_NOT_SERIALIZABLE, OPTION_INVALID, SECRET_EXPOSED, STORE_…
   */
  emit(name: string, payload?: unknown, options?: EmitOptions): Promise<EmitReport>;
  /** Events emitted or received by webhooks, newest first. @throws BatutaError FILTER_INVALID */
  list(filter?: EventFilter): Promise<Page<EventEntry>>;
  /** @throws BatutaError EVENT_NOT_FOUND */
  get(id: string): Promise<EventEntry>;
}
