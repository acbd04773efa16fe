/**
 * Live events of a server: one feed of the changes of all runs, two of tasks and log lines per watched run, and the open streams, which
 * share them.
 *
 * A stream begins by listening, then reads from the store what it missed since its last event, then switches to what it received meanwhile:
 * so nothing is lost between the two.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Clock } from '../../base/clock.ts';
import { BatutaError } from '../../base/errors.ts';
import { type Loop, makeLoop } from '../../base/loop.ts';
import type { NumberedRows, RunEvent, Store, StoredLogLine, TaskEvent } from '../../store/store.ts';
import { isGone } from '../connections.ts';
import type { FollowedEmissions } from '../../client/emissions.ts';
import { EmissionReader, type EmissionValues } from './emission-reader.ts';
import { EventReader, keep } from './event-reader.ts';
import { type EventQuery, sourcesOf, wantsRun } from './event-sources.ts';
import { EventStream } from './event-stream.ts';
import { eventText, placeOfId, textOfLog, textOfRun, textOfTask } from './event-text.ts';
import { Feed, type FeedListener } from './feed.ts';
import { hidesPayloads, type Role } from '../../model/access.ts';
import * as observed from './observed.ts';
import type { Authenticator } from '../identity.ts';
import { StreamBudget } from './stream-budget.ts';

export interface LiveOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly authenticator: Authenticator;
  /** Between signs of life for proxies; also how soon the stream of a revoked key ends, ms. Default 15,000. */
  readonly beatMs?: number | undefined;
  /** Default those of `usualStreamBounds`. */
  readonly bounds?: Partial<StreamBounds> | undefined;
}

/** Bounds of open streams. */
export interface StreamBounds {
  readonly streams: number;
  /** Per key, or per address if there are no keys. */
  readonly streamsPerKey: number;
  /** Waiting for all readers together. */
  readonly bytes: number;
}

export const usualStreamBounds: StreamBounds = { streams: 2_000, streamsPerKey: 200, bytes: 64 * 1024 * 1024 };

interface RunFeeds {
  readonly tasks: Feed<TaskEvent>;
  readonly logs: Feed<StoredLogLine>;
}

interface Open {
  /** Owner: id of a key, or an address. */
  readonly of: string;
  readonly stream: EventStream;
  readonly request: FastifyRequest;
  /** What it was opened with: this identifies it. */
  readonly role: Role;
  readonly reader: { beat(beatMs: number): void };
}

const busyMs = 200;
/** Longest poll interval of an idle watched run, ms. */
const idleMs = 1_000;
const usualBeatMs = 15_000;

export class LiveEvents {
  readonly #options: LiveOptions;
  readonly #open = new Set<Open>();
  readonly #runs: Feed<RunEvent>;
  readonly #ofRun = new Map<string, RunFeeds>();
  readonly #beats: Loop;
  readonly #beatMs: number;
  readonly #bounds: StreamBounds;
  readonly #budget: StreamBudget;
  #closed = false;

  /** Open streams. */
  get count(): number {
    return this.#open.size;
  }

  constructor(options: LiveOptions) {
    const { store, clock, random, logger } = options;
    this.#options = options;
    this.#beatMs = options.beatMs ?? usualBeatMs;
    this.#bounds = { ...usualStreamBounds, ...options.bounds };
    this.#budget = new StreamBudget(clock, this.#bounds.bytes);
    const { events } = store;
    this.#runs = this.#feed({
      name: 'runs',
      read: (after, limit) => events.runs(after, limit),
      place: () => events.place(),
      textOf: textOfRun,
      idleMs: busyMs,
    });
    this.#beats = makeLoop({
      name: 'signs of life',
      intervalMs: this.#beatMs,
      // Readers give up a stream that is silent for long.
      maxBackoffMs: this.#beatMs,
      unref: true,
      clock,
      random,
      step: () => this.#beat(),
      onError: (error) => logger.warn({ err: error }, 'The keys of open event streams could not be checked.'),
    });
  }

  get streams(): number {
    return this.#open.size;
  }

  /** Bytes held for all readers together; shared ones count once. */
  get waitingBytes(): number {
    return this.#budget.heldBytes;
  }

  /**
   * Turns a request into a stream. Resolves once it is live, or has ended.
   *
   * @throws BatutaError RATE_LIMITED if too many are open, in total or for this key; SHUTDOWN
   */
  async open(request: FastifyRequest, reply: FastifyReply, query: EventQuery): Promise<void> {
    const { store, clock } = this.#options;
    if (this.#closed) throw new BatutaError('SHUTDOWN', 'The server is ending.');
    // Without an identity the reader counts as an observer.
    const { keyId = null, role = 'observer' } = request.identity ?? {};
    const of = keyId ?? request.ip;
    const isObserved = hidesPayloads(role);
    this.#refuseTooMany(of);
    reply.hijack();
    // No await from here until the stream listens for its end.
    if (isGone(reply.raw)) return;
    void this.#beats.start();
    const one = query.run === undefined ? null : this.#feedsOf(query.run);
    const onEnd = (): void => {
      this.#runs.leave(onRuns);
      one?.tasks.leave(onTasks);
      one?.logs.leave(onLogs);
      if (query.run !== undefined && one?.tasks.isIdle && one.logs.isIdle) this.#ofRun.delete(query.run);
      this.#open.delete(open);
    };
    const stream = new EventStream(reply.raw, clock, onEnd, this.#budget);
    const onError = (error: unknown): void =>
      this.#options.logger.warn({ err: error }, 'Events that a slow reader had missed could not be read; its stream was ended.');
    const reader = new EventReader({ stream, sources: sourcesOf(store.events, query, role), clock, onError });
    const onRuns: FeedListener<RunEvent> = (told, settled) =>
      reader.hear(
        'run',
        keep(isObserved ? observed.listOf(told, observed.textOfRun) : told, ({ row }) => wantsRun(query, row)),
        settled,
      );
    const onTasks: FeedListener<TaskEvent> = (told, settled) =>
      reader.hear('task', isObserved ? observed.listOf(told, observed.textOfTask) : told, settled);
    const onLogs: FeedListener<StoredLogLine> = (told, settled) => reader.hear('log', told, settled);
    const open: Open = { of, stream, request, role, reader };
    this.#open.add(open);
    stream.begin(reply.getHeaders());
    try {
      const from = placeOfId(String(request.headers['last-event-id'] ?? ''));
      const [run, task, log] = await Promise.all([
        this.#runs.listen(onRuns),
        one?.tasks.listen(onTasks) ?? 0,
        isObserved ? 0 : (one?.logs.listen(onLogs) ?? 0),
      ]);
      stream.write(eventText('hello', { resumed: from !== null, beatMs: this.#beatMs }));
      await reader.begin(from, { run, task, log });
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'A stream of events could not begin.');
      stream.drop('unavailable');
    }
  }

  /**
   * Turns a request into a stream of a run's emissions, after the value in Last-Event-ID. Resolves once it has ended.
   *
   * @throws as `open`
   */
  async openEmissions(
    request: FastifyRequest,
    reply: FastifyReply,
    wanted: Omit<FollowedEmissions, 'after' | 'signal'> & EmissionValues,
  ): Promise<void> {
    if (this.#closed) throw new BatutaError('SHUTDOWN', 'The server is ending.');
    const { keyId = null, role = 'observer' } = request.identity ?? {};
    const of = keyId ?? request.ip;
    this.#refuseTooMany(of);
    reply.hijack();
    // No await from here until the stream listens for its end.
    if (isGone(reply.raw)) return;
    void this.#beats.start();
    const over = new AbortController();
    const onEnd = (): void => {
      over.abort();
      this.#open.delete(open);
    };
    const stream = new EventStream(reply.raw, this.#options.clock, onEnd, this.#budget);
    const reader = new EmissionReader(stream);
    const open: Open = { of, stream, request, role, reader };
    this.#open.add(open);
    stream.begin(reply.getHeaders());
    try {
      const after = placeOfId(String(request.headers['last-event-id'] ?? ''))?.run ?? 0;
      stream.write(eventText('hello', { resumed: after > 0, beatMs: this.#beatMs }));
      await reader.run(wanted.results, { ...wanted, after, signal: over.signal });
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'A stream of emitted values had to be ended; its reader may reconnect.');
      stream.drop('unavailable');
    }
  }

  /** Ends all streams; their readers reconnect by themselves. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#beats.stop();
    for (const { stream } of this.#open) stream.end();
  }

  #refuseTooMany(of: string): void {
    const { streams, streamsPerKey } = this.#bounds;
    if (this.#open.size >= streams) throw new BatutaError('RATE_LIMITED', `${streams} streams of events are open already.`);
    let own = 0;
    for (const open of this.#open) if (open.of === of) own++;
    if (own >= streamsPerKey)
      throw new BatutaError(
        'RATE_LIMITED',
        `${streamsPerKey} streams of events of this key are open already; close one, or use another key.`,
      );
  }

  async #beat(): Promise<void> {
    for (const { stream, request, role, reader } of this.#open) {
      if (await this.#mayStay(request, role)) reader.beat(this.#beatMs);
      else stream.drop('key');
    }
  }

  /** Whether its opener still has access, with the role that decides what is sent. */
  async #mayStay(request: FastifyRequest, role: Role): Promise<boolean> {
    try {
      const identity = await this.#options.authenticator.recognise(request);
      return identity !== null && hidesPayloads(identity.role) === hidesPayloads(role);
    } catch (error) {
      if (error instanceof BatutaError && error.code === 'UNAUTHENTICATED') return false;
      throw error;
    }
  }

  #feedsOf(runId: string): RunFeeds {
    const known = this.#ofRun.get(runId);
    if (known) return known;
    const { events } = this.#options.store;
    const feeds = {
      tasks: this.#feed<TaskEvent>({
        name: `tasks of ${runId}`,
        read: (after, limit) => events.tasks(runId, after, limit),
        place: async () => (await events.placesOf(runId)).task,
        textOf: textOfTask,
        idleMs,
      }),
      logs: this.#feed<StoredLogLine>({
        name: `log of ${runId}`,
        read: (after, limit) => events.logs(runId, after, limit),
        place: async () => (await events.placesOf(runId)).log,
        textOf: textOfLog,
        idleMs,
      }),
    };
    this.#ofRun.set(runId, feeds);
    return feeds;
  }

  #feed<Row extends { readonly seq: number }>(parts: {
    readonly name: string;
    readonly read: (after: number, limit: number) => Promise<NumberedRows<Row>>;
    readonly place: () => Promise<number>;
    readonly textOf: (row: Row) => string;
    readonly idleMs: number;
  }): Feed<Row> {
    const { clock, random, logger } = this.#options;
    return new Feed({
      ...parts,
      busyMs,
      clock,
      random,
      onError: (error, failures) => {
        if (failures === 1) logger.warn({ err: error, feed: parts.name }, 'Live events could not be read; they follow once they can be.');
      },
    });
  }
}
