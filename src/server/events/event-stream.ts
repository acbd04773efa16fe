/** One open event stream to a browser or a client, as server-sent events. Source: HTML Living Standard, section 9.2. */
import type { ServerResponse } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import { onceGone } from '../connections.ts';
import { eventText, pieceBytes } from './event-text.ts';
import { StreamBudget } from './stream-budget.ts';

/** A stream with this backlog is ended on the next write, bytes. */
export const maxWaitingBytes = 1024 * 1024;
/** How long a dropped reader may take to read the rest, ms. */
const dropMs = 5_000;

export class EventStream {
  readonly #raw: ServerResponse;
  readonly #clock: Clock;
  readonly #budget: StreamBudget;
  readonly #queue: Uint8Array[] = [];
  /** What the connection has not taken yet. */
  #written: Uint8Array[] = [];
  #waitingBytes = 0;
  #takenBytes = 0;
  #open = true;
  #onTaken: (() => void) | null = null;

  /**
   * The caller ensures that the connection is still open (`isGone`) and awaits nothing before this: its end is reported once.
   *
   * @param onEnd called once, however it ends.
   */
  constructor(raw: ServerResponse, clock: Clock, onEnd: () => void, budget = new StreamBudget(clock, Number.POSITIVE_INFINITY)) {
    this.#raw = raw;
    this.#clock = clock;
    this.#budget = budget;
    onceGone(raw, () => {
      this.#open = false;
      this.#letGo();
      onEnd();
    });
    // A lost reader appears as an error on some systems; close follows.
    raw.on('error', () => undefined);
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** Bytes the reader has not taken yet. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Bytes it has taken. */
  get takenBytes(): number {
    return this.#takenBytes;
  }

  /** Resolves once the reader has taken all that was written, or the stream has ended. */
  async taken(): Promise<void> {
    if (this.#open && this.#waitingBytes > 0) await new Promise<void>((resolve) => (this.#onTaken = resolve));
  }

  /** Writes the head. `headers` are those of every answer. */
  begin(headers: Readonly<Record<string, string | number | readonly string[] | undefined>>): void {
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) this.#raw.setHeader(name, value);
    this.#raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // Some proxies buffer answers unless told not to.
      'x-accel-buffering': 'no',
      connection: 'keep-alive',
    });
    this.#raw.flushHeaders();
    this.#raw.socket?.setNoDelay(true);
  }

  /**
   * Writes text of events. `id`: where a reader that is cut off continues after all written so far. Ends the stream of a slow reader, so
   * that its backlog stays bounded. Bytes, each of whole events, may be shared by many streams; they are not copied.
   */
  write(events: string | readonly Uint8Array[], id?: string): void {
    if (!this.#open) return;
    if (this.#waitingBytes > maxWaitingBytes) return this.drop('slow');
    for (const bytes of typeof events === 'string' ? [Buffer.from(events)] : events) this.#add(bytes);
    // An id without data is not an event; readers still keep it.
    if (id !== undefined) this.#add(Buffer.from(`id: ${id}\n\n`));
    this.#pump();
  }

  /** Ends the stream, and replaces its backlog with the reason for the gap: data must be fetched again. */
  drop(reason: string): void {
    this.#letGo();
    this.end(eventText('gap', { reason }));
  }

  /** Ends the stream; the reader reconnects by itself. */
  end(text = ''): void {
    if (!this.#open) return;
    this.#open = false;
    for (const bytes of this.#queue) this.#raw.write(bytes);
    this.#letGo();
    this.#raw.end(text);
    const timer = this.#clock.setTimer(dropMs, () => this.#raw.destroy(), { unref: true });
    this.#raw.once('close', () => timer.cancel());
  }

  /** Ends the stream now, without a final event, and frees its backlog. */
  cut(): void {
    this.#open = false;
    this.#letGo();
    this.#raw.destroy();
  }

  #add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#queue.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#budget.hold(this, bytes);
  }

  /** Passes part of the backlog to the connection, once it has taken the previous part. */
  #pump(): void {
    if (!this.#open || this.#written.length > 0 || this.#queue.length === 0) return;
    let end = 0;
    for (let bytes = 0; end < this.#queue.length && bytes < pieceBytes; end++) bytes += this.#queue[end]?.length ?? 0;
    this.#written = this.#queue.splice(0, end);
    for (const [at, bytes] of this.#written.entries()) this.#raw.write(bytes, at === end - 1 ? () => this.#take() : undefined);
  }

  #take(): void {
    for (const bytes of this.#written.splice(0)) {
      this.#waitingBytes -= bytes.length;
      this.#takenBytes += bytes.length;
      this.#budget.letGo(bytes);
    }
    this.#pump();
    if (this.#waitingBytes === 0) this.#wake();
  }

  #letGo(): void {
    for (const bytes of [...this.#written.splice(0), ...this.#queue.splice(0)]) this.#budget.letGo(bytes);
    this.#waitingBytes = 0;
    this.#budget.leave(this);
    this.#wake();
  }

  #wake(): void {
    this.#onTaken?.();
    this.#onTaken = null;
  }
}
