/**
 * The events of a server, one after another, across lost connections: it reconnects after the last one received.
 *
 * Source: HTML Living Standard, section 9.2 (server-sent events).
 */
import type { Clock } from '../../base/clock.ts';
import { type BatutaError, isBatutaError } from '../../base/errors.ts';
import type { Api, QueryValues } from './api.ts';

export interface ServerEvent {
  /** `message` if the server names none. */
  readonly type: string;
  readonly data: string;
}

export interface EventStreamOptions {
  readonly query: QueryValues;
  readonly signal: AbortSignal;
  /** Signs of life (`beat`) are not passed on. */
  readonly onEvent: (event: ServerEvent) => void;
  /** Called when events start or stop flowing. */
  readonly onState: (open: boolean) => void;
  /** Id to continue after; default: only new events. */
  readonly lastId?: string;
  /** More is read once this has resolved; default at once. */
  readonly onTaken?: () => Promise<void>;
}

const firstPauseMs = 250;
const longestPauseMs = 10_000;
/** A stream without even a sign of life for this long counts as lost, ms. */
const silentMs = 60_000;

/**
 * Passes on events until `signal` aborts, then returns null. Returns the refusal if the server refuses the stream (no key, no such route),
 * as retrying is pointless. Never rejects.
 */
export async function followEvents(api: Api, path: string, options: EventStreamOptions): Promise<BatutaError | null> {
  const { signal, onState } = options;
  const place: Place = { lastId: options.lastId ?? null };
  for (let pauseMs = firstPauseMs; !signal.aborted && !api.closed.aborted; ) {
    try {
      const headers: Record<string, string> = place.lastId === null ? {} : { 'last-event-id': place.lastId };
      await readOne(api, path, options, headers, place, () => {
        pauseMs = firstPauseMs;
        onState(true);
      });
    } catch (error) {
      // The server has answered: asking again changes nothing. Polling may still work.
      if (isBatutaError(error) && error.code !== 'SERVER_UNREACHABLE' && error.code !== 'RATE_LIMITED') {
        onState(false);
        return error;
      }
    }
    onState(false);
    await api.clock.sleep(pauseMs, AbortSignal.any([signal, api.closed])).catch(() => undefined);
    pauseMs = Math.min(longestPauseMs, pauseMs * 2);
  }
  return null;
}

interface Place {
  lastId: string | null;
}

async function readOne(
  api: Api,
  path: string,
  { query, signal, onEvent, onTaken }: EventStreamOptions,
  headers: Readonly<Record<string, string>>,
  place: Place,
  onOpen: () => void,
): Promise<void> {
  const lost = new AbortController();
  const pieces = await api.openStream(path, query, headers, AbortSignal.any([signal, lost.signal]));
  const watchdog = new Watchdog(api.clock, () => lost.abort());
  try {
    onOpen();
    const parser = new EventParser((event) => event.type !== 'beat' && onEvent(event), place);
    const decoder = new TextDecoder();
    for await (const piece of pieces) {
      watchdog.feed();
      parser.push(decoder.decode(piece, { stream: true }));
      if (onTaken === undefined) continue;
      // Silence while the reader is busy is its own.
      watchdog.stop();
      await onTaken();
      watchdog.feed();
    }
  } finally {
    watchdog.stop();
  }
}

/** Calls `onSilent` after a period of silence. */
class Watchdog {
  readonly #clock: Clock;
  readonly #onSilent: () => void;
  #timer: { cancel(): void };

  constructor(clock: Clock, onSilent: () => void) {
    this.#clock = clock;
    this.#onSilent = onSilent;
    this.#timer = this.#set();
  }

  feed(): void {
    this.#timer.cancel();
    this.#timer = this.#set();
  }

  stop(): void {
    this.#timer.cancel();
  }

  #set(): { cancel(): void } {
    return this.#clock.setTimer(silentMs, this.#onSilent, { unref: true });
  }
}

/** Parses events from a stream, however it is cut. By hand: docs/decisions/0008. */
export class EventParser {
  readonly #onEvent: (event: ServerEvent) => unknown;
  readonly #place: Place;
  #rest = '';
  #type = '';
  #data: string[] = [];
  #id: string | null = null;

  constructor(onEvent: (event: ServerEvent) => unknown, place: Place = { lastId: null }) {
    this.#onEvent = onEvent;
    this.#place = place;
  }

  push(text: string): void {
    this.#rest += text;
    // A trailing carriage return may be half of a line break.
    const end = this.#rest.endsWith('\r') ? this.#rest.length - 1 : this.#rest.length;
    const lines = this.#rest.slice(0, end).split(/\r\n|\n|\r/);
    this.#rest = (lines.pop() ?? '') + this.#rest.slice(end);
    for (const line of lines) this.#takeLine(line);
  }

  #takeLine(line: string): void {
    if (line === '') return this.#dispatch();
    if (line.startsWith(':')) return;
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'event') this.#type = value;
    if (field === 'data') this.#data.push(value);
    if (field === 'id' && !value.includes('\0')) this.#id = value;
  }

  #dispatch(): void {
    const data = this.#data.join('\n');
    const type = this.#type === '' ? 'message' : this.#type;
    const isEvent = this.#data.length > 0;
    this.#data = [];
    this.#type = '';
    // Only now: an event cut off after its id has not been received.
    if (this.#id !== null) this.#place.lastId = this.#id;
    if (isEvent) this.#onEvent({ type, data });
  }
}
