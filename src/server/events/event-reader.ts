/**
 * The state of one reader of live events, and where it continues.
 *
 * Beginning: collects new events while it reads what it missed since its last one → live: writes new events → behind, if it reads too
 * slowly: receives no events, and once its backlog is taken, reads what followed from the store, page by page and no faster than it takes
 * them → live. So a slow reader misses nothing and delays nobody, and its backlog stays bounded.
 */
import type { Clock } from '../../base/clock.ts';
import type { EventSource, StoredEvent } from './event-sources.ts';
import { type EventStream, maxWaitingBytes } from './event-stream.ts';
import { bytesOf, type EventKind, type EventPlace, eventText, idOfPlace, type Told } from './event-text.ts';
import { Follower } from '../../client/follower.ts';

interface Numbered {
  readonly seq: number;
}

interface Heard {
  readonly kind: EventKind;
  readonly told: readonly Told<Numbered>[];
  readonly settled: number;
}

export interface EventReaderOptions {
  readonly stream: EventStream;
  readonly sources: readonly EventSource[];
  readonly clock: Clock;
  /** Called if the store could not be read; the stream has been ended. */
  readonly onError: (error: unknown) => void;
}

/** A reader that missed more before it began gets a gap, and fetches its data again. */
const maxMissed = 5_000;
/** A reader with a larger backlog is behind, bytes. */
const behindBytes = maxWaitingBytes / 4;

export class EventReader {
  readonly #stream: EventStream;
  readonly #options: EventReaderOptions;
  #followers: ReadonlyMap<EventKind, Follower<StoredEvent>> = new Map();
  #heard: Heard[] | null = [];
  #heardChars = 0;
  #isBehind = false;
  #takenAtBeat = -1;
  #place: EventPlace = { run: 0, task: 0, log: 0 };

  constructor(options: EventReaderOptions) {
    this.#options = options;
    this.#stream = options.stream;
  }

  /** Takes events of a feed. `settled`: up to there this reader has received everything of this kind. */
  hear(kind: EventKind, told: readonly Told<Numbered>[], settled: number): void {
    if (this.#isBehind) return;
    if (this.#heard === null) return this.#write({ kind, told, settled });
    this.#heard.push({ kind, told, settled });
    for (const { text } of told) this.#heardChars += text.length;
    // Read from the store later, once it has begun.
    if (this.#heardChars > maxWaitingBytes) this.#fallBehind();
  }

  /** Writes what was missed after `from`, or one `gap`, and goes live. `now` is where it began to listen. */
  async begin(from: EventPlace | null, now: EventPlace): Promise<void> {
    if (from !== null) await this.#replay(from, now);
    this.#place = now;
    if (this.#isBehind) await this.#catchUp();
    else this.#goLive();
  }

  /**
   * A sign of life, with the place for when the stream is cut. A page in a browser sees only events, never comments. A reader that has
   * taken nothing since the last one although something waits is dropped.
   */
  beat(beatMs: number): void {
    const { takenBytes, waitingBytes } = this.#stream;
    if (waitingBytes > 0 && takenBytes === this.#takenAtBeat) return this.#stream.drop('slow');
    this.#takenAtBeat = takenBytes;
    if (this.#heard === null && !this.#isBehind) this.#stream.write(`: alive\n${eventText('beat', { beatMs })}`, this.#id);
  }

  async #replay(from: EventPlace, now: EventPlace): Promise<void> {
    // Numbers of another or a recreated database.
    if (from.run > now.run + maxMissed) return this.#stream.write(eventText('gap', { reason: 'unknown' }));
    const missed: Told<StoredEvent>[] = [];
    let chars = 0;
    for (const follower of this.#follow(from).values()) {
      let rows = 0;
      for await (const events of follower.pages()) {
        for (const { row, text } of wanted(events)) {
          chars += text.length;
          missed.push({ row, text });
        }
        rows += events.length;
        if (!this.#stream.isOpen) return;
        if (rows > maxMissed || chars > maxWaitingBytes) {
          this.#followers = new Map();
          return this.#stream.write(eventText('gap', { reason: 'old' }));
        }
      }
    }
    this.#stream.write(bytesOf(missed));
  }

  #follow(from: EventPlace): ReadonlyMap<EventKind, Follower<StoredEvent>> {
    const { sources, clock } = this.#options;
    this.#followers = new Map(sources.map(({ kind, read }) => [kind, new Follower(read, clock, from[kind])]));
    return this.#followers;
  }

  #fallBehind(): void {
    this.#isBehind = true;
    this.#heard = [];
    this.#heardChars = 0;
  }

  async #catchUp(): Promise<void> {
    const followers = this.#follow(this.#place);
    while (this.#isBehind && this.#stream.isOpen) {
      await this.#readOn(followers);
      // Later events are received again, and earlier ones are read now.
      this.#isBehind = false;
      await this.#readOn(followers);
    }
    for (const [kind, follower] of followers) this.#place = { ...this.#place, [kind]: follower.settled };
    this.#goLive();
  }

  async #readOn(followers: ReadonlyMap<EventKind, Follower<StoredEvent>>): Promise<void> {
    for (const follower of followers.values()) {
      for await (const events of follower.pages()) {
        await this.#stream.taken();
        if (!this.#stream.isOpen) return;
        this.#stream.write(bytesOf(wanted(events)));
      }
    }
    await this.#stream.taken();
  }

  #goLive(): void {
    const [heard, followers] = [this.#heard ?? [], this.#followers];
    this.#heard = null;
    this.#heardChars = 0;
    this.#followers = new Map();
    this.#stream.write('', this.#id);
    for (const { kind, told, settled } of heard)
      this.#write({ kind, settled, told: keep(told, ({ row }) => followers.get(kind)?.knows(row.seq) !== true) });
  }

  #write({ kind, told, settled }: Heard): void {
    if (this.#isBehind) return;
    if (told.length > 0 && this.#stream.waitingBytes > behindBytes) {
      this.#fallBehind();
      this.#catchUp().catch((error: unknown) => {
        this.#stream.drop('unavailable');
        this.#options.onError(error);
      });
      return;
    }
    this.#place = { ...this.#place, [kind]: settled };
    if (told.length > 0) this.#stream.write(bytesOf(told), this.#id);
  }

  get #id(): string {
    return idOfPlace(this.#place, this.#options.sources.length > 1);
  }
}

function wanted(events: readonly StoredEvent[]): Told<StoredEvent>[] {
  return events.flatMap((row) => (row.text === null ? [] : [{ row, text: row.text }]));
}

/** The matching items of a list; the list itself if all match, so that it stays shared. */
export function keep<T>(list: readonly T[], fits: (one: T) => boolean): readonly T[] {
  return list.every(fits) ? list : list.filter(fits);
}
