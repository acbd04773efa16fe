/** One open stream of events to a browser or a client, as server-sent events. Source: HTML Living Standard, section 9.2. */
import type { ServerResponse } from 'node:http';
import type { Clock } from '../base/clock.ts';
import { eventText } from './event-text.ts';
import { StreamBudget } from './stream-budget.ts';

/** A reader that is so far behind is dropped, bytes that wait for it. */
export const maxWaitingBytes = 1024 * 1024;
/** How long a dropped reader may take to read what is left, ms. */
const dropMs = 5_000;

export class EventStream {
  readonly #raw: ServerResponse;
  readonly #clock: Clock;
  readonly #budget: StreamBudget;
  #open = true;

  /**
   * The caller makes sure that the connection still stands (`isGone`) and awaits nothing before this: its end is told once.
   *
   * @param onEnd is called once, however it ends.
   */
  constructor(raw: ServerResponse, clock: Clock, onEnd: () => void, budget = new StreamBudget(Number.POSITIVE_INFINITY)) {
    this.#raw = raw;
    this.#clock = clock;
    this.#budget = budget;
    const { socket } = raw.req;
    let ended = false;
    const end = (): void => {
      if (ended) return;
      ended = true;
      this.#open = false;
      budget.leave(this);
      socket.removeListener('close', end);
      onEnd();
    };
    raw.once('close', end);
    // An answer that still waits behind others of its connection is not told of the end itself.
    socket.once('close', end);
    // A reader that is gone shows as an error on some systems; close follows.
    raw.on('error', () => undefined);
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** Bytes that the reader has not taken yet. */
  get waitingBytes(): number {
    return this.#raw.writableLength;
  }

  /** Writes the head. `headers` are those every answer has. */
  begin(headers: Readonly<Record<string, string | number | readonly string[] | undefined>>): void {
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) this.#raw.setHeader(name, value);
    this.#raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // Some proxies gather answers unless told not to.
      'x-accel-buffering': 'no',
      connection: 'keep-alive',
    });
    this.#raw.flushHeaders();
    this.#raw.socket?.setNoDelay(true);
  }

  /**
   * Writes text of events. `id`: where a reader that is cut off goes on after all that was written so far. Drops a reader that does not
   * keep up, so that what waits for it stays bounded. Bytes may be shared by many streams; they are not copied.
   */
  write(events: string | Uint8Array, id?: string): void {
    if (!this.#open) return;
    if (this.waitingBytes > maxWaitingBytes) return this.drop('slow');
    // What waits is counted in bytes, which a text does not tell.
    if (events.length > 0) this.#raw.write(typeof events === 'string' ? Buffer.from(events) : events);
    // An id without data is no event; readers keep it all the same.
    if (id !== undefined) this.#raw.write(`id: ${id}\n\n`);
    this.#budget.note(this);
  }

  /** Ends the stream and says why events are missing now: what is shown must be asked for anew. */
  drop(reason: string): void {
    this.end(eventText('gap', { reason }));
  }

  /** Ends the stream; the reader comes back by itself. */
  end(text = ''): void {
    if (!this.#open) return;
    this.#open = false;
    this.#raw.end(text);
    const timer = this.#clock.setTimer(dropMs, () => this.#raw.destroy(), { unref: true });
    this.#raw.once('close', () => timer.cancel());
  }

  /** Ends the stream now, without a word: what waits for its reader is let go. */
  cut(): void {
    this.#open = false;
    this.#raw.destroy();
  }
}

/** Whether whoever asked has hung up. */
export function isGone({ closed, destroyed, req }: ServerResponse): boolean {
  return closed || destroyed || req.socket.destroyed;
}
