/** One open stream of events to a browser or a client, as server-sent events. Source: HTML Living Standard, section 9.2. */
import type { ServerResponse } from 'node:http';
import type { Clock } from '../base/clock.ts';
import { eventText } from './event-text.ts';

/** A reader that is so far behind is dropped, bytes that wait for it. */
const maxWaitingBytes = 1024 * 1024;
/** How long a dropped reader may take to read what is left, ms. */
const dropMs = 5_000;

export class EventStream {
  readonly #raw: ServerResponse;
  readonly #clock: Clock;
  #open = true;

  /** @param onEnd is called once, however it ends. */
  constructor(raw: ServerResponse, clock: Clock, onEnd: () => void) {
    this.#raw = raw;
    this.#clock = clock;
    const end = (): void => {
      this.#open = false;
      onEnd();
    };
    raw.once('close', end);
    // A reader that is gone shows as an error on some systems; close follows.
    raw.on('error', () => undefined);
  }

  get isOpen(): boolean {
    return this.#open;
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
   * keep up, so that what waits for it stays bounded.
   */
  write(text: string, id?: string): void {
    if (!this.#open) return;
    if (this.#raw.writableLength > maxWaitingBytes) return this.drop('slow');
    // An id without data is no event; readers keep it all the same.
    this.#raw.write(id === undefined ? text : `${text}id: ${id}\n\n`);
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
}
