/**
 * One shared reader of numbered rows for all listeners: polls while somebody listens, seldom while nothing happens, and passes on each row
 * once, as text made once.
 *
 * Owned by `LiveEvents`. Idle → finding the newest row → polling … → idle when the last listener leaves. A failed poll is repeated later;
 * nothing is lost, as the place stays.
 */
import type { Clock } from '../../base/clock.ts';
import { type Loop, makeLoop } from '../../base/loop.ts';
import type { NumberedRows } from '../../store/store.ts';
import type { Told } from './event-text.ts';
import { Follower } from '../../client/follower.ts';

/** `settled`: up to there everything was sent, with these or before. */
export type FeedListener<Row> = (told: readonly Told<Row>[], settled: number) => void;

export interface FeedOptions<Row> {
  readonly name: string;
  readonly read: (after: number, limit: number) => Promise<NumberedRows<Row>>;
  /** Number of the newest row. */
  readonly place: () => Promise<number>;
  readonly textOf: (row: Row) => string;
  /** Between two polls while things happen, ms. */
  readonly busyMs: number;
  /** Longest between two polls while nothing does, ms. */
  readonly idleMs: number;
  readonly onError: (error: unknown, failures: number) => void;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Numbers before the newest that active writers may still fill when a feed begins. */
const beginBehind = 1000;

export class Feed<Row extends { readonly seq: number }> {
  readonly #options: FeedOptions<Row>;
  readonly #listeners = new Set<FeedListener<Row>>();
  #loop: Loop | null = null;
  #placed: Promise<Follower<Row>> | null = null;
  #quietSince = 0;
  #lookAt = 0;

  constructor(options: FeedOptions<Row>) {
    this.#options = options;
  }

  get isIdle(): boolean {
    return this.#listeners.size === 0;
  }

  /** Listens from now on; resolves once nothing written from here on is missed. Returns that place. */
  async listen(listener: FeedListener<Row>): Promise<number> {
    this.#listeners.add(listener);
    this.#placed ??= this.#begin();
    return (await this.#placed).settled;
  }

  /** Stops listening. The last one ends the polling. */
  leave(listener: FeedListener<Row>): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    void this.#loop?.stop();
    this.#loop = null;
    this.#placed = null;
  }

  async #begin(): Promise<Follower<Row>> {
    const { read, place, clock, random, name, busyMs, onError } = this.#options;
    const placed = this.#findPlace(read, place, clock);
    this.#quietSince = clock.monotonic();
    this.#lookAt = 0;
    const loop = makeLoop({
      name,
      intervalMs: busyMs,
      immediate: false,
      unref: true,
      clock,
      random,
      onError,
      step: () => this.#look(placed),
    });
    this.#loop = loop;
    placed.catch(() => {
      if (this.#loop === loop) this.#placed = this.#loop = null;
      void loop.stop();
    });
    const follower = await placed;
    if (this.#loop === loop) await loop.start();
    return follower;
  }

  async #findPlace(read: FeedOptions<Row>['read'], place: () => Promise<number>, clock: Clock): Promise<Follower<Row>> {
    const follower = new Follower(read, clock, Math.max(0, (await place()) - beginBehind));
    await follower.skip();
    return follower;
  }

  async #look(placed: Promise<Follower<Row>>): Promise<void> {
    const { clock, textOf, busyMs, idleMs } = this.#options;
    const now = clock.monotonic();
    if (now < this.#lookAt) return;
    const follower = await placed;
    const settledBefore = follower.settled;
    let told = 0;
    for await (const rows of follower.pages()) {
      told += rows.length;
      this.#tell(
        rows.map((row) => ({ row, text: textOf(row) })),
        follower.settled,
      );
    }
    if (told > 0) this.#quietSince = now;
    // Gradually slower: after ten quiet seconds a tenth of that time, up to the longest.
    this.#lookAt = now + Math.min(idleMs, Math.max(0, (now - this.#quietSince) / 10 - busyMs));
    if (told === 0 && follower.settled !== settledBefore) this.#tell([], follower.settled);
  }

  #tell(told: readonly Told<Row>[], settled: number): void {
    for (const listener of this.#listeners) listener(told, settled);
  }
}
