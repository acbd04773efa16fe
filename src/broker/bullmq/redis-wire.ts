/**
 * Redis below BullMQ, and messages between processes by its pub/sub: disconnected processes miss them.
 *
 * The listening connection is made at the first subscription. It resubscribes after an outage; one that died silently is found by pinging
 * it every few seconds.
 */
import { settledWithin } from '../../base/clock.ts';
import type { Clock } from '../../base/clock.ts';
import { makeLoop } from '../../base/loop.ts';
import type { Loop } from '../../base/loop.ts';
import type { Unsubscribe } from '../broker.ts';
import { Listeners } from '../listeners.ts';
import { inspectRedis, refuseOldRedis } from './redis-check.ts';
import { answerOf, answerTimeoutMs, connectRedis, isOutage, unavailable, whenReady } from './redis-connection.ts';
import type { RedisConnection, RedisUse } from './redis-connection.ts';
import { readRedisUrl } from './redis-url.ts';
import type { RedisPlace } from './redis-url.ts';
import { isVanished } from './wire.ts';
import type { Wire } from './wire.ts';

export interface RedisWireOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onError: (error: unknown) => void;
  /** Gets a sentence for each wrong server setting. */
  readonly onWarning: (sentence: string) => void;
}

/** How often to ping the listening connection, ms. */
const signOfLifeMs = 5_000;

/**
 * Connects, and checks the server's settings.
 *
 * @throws BatutaError CONFIG_INVALID (URL), BROKER_UNAVAILABLE
 */
export async function openRedisWire(options: RedisWireOptions): Promise<Wire> {
  const place = readRedisUrl(options.url);
  const wire = new RedisWire(place, options);
  try {
    await whenReady(wire.connection, place, options.clock);
    const report = await inspectRedis(wire.connection, place, options.clock);
    refuseOldRedis(report);
    for (const warning of report.warnings) options.onWarning(warning);
    return wire.begin();
  } catch (error) {
    await wire.close();
    throw error;
  }
}

class RedisWire implements Wire {
  readonly kind = 'redis';
  readonly url: string;
  readonly prefix: string;
  readonly connection: RedisConnection;
  readonly #place: RedisPlace;
  readonly #options: RedisWireOptions;
  /** Channels know no databases, so the number is part of their name. */
  readonly #channelPrefix: string;
  readonly #listeners: Listeners;
  readonly #watchdog: Loop;
  #listening: RedisConnection | undefined;
  /** Until it has begun, errors go to the caller of `openRedisWire`. */
  #quiet = true;

  constructor(place: RedisPlace, options: RedisWireOptions) {
    this.#place = place;
    this.#options = options;
    this.url = place.url;
    this.prefix = place.prefix;
    this.#channelPrefix = `${place.prefix}:${place.database}:notice:`;
    this.connection = this.#connect('ask');
    this.connection.on('ready', () => {
      this.#quiet = false;
    });
    const { clock, random, onError } = options;
    this.#listeners = new Listeners(onError);
    const step = (): Promise<void> => this.#askForSignOfLife();
    const name = 'redis notices: sign of life';
    this.#watchdog = makeLoop({ name, intervalMs: signOfLifeMs, step, onError, clock, random, immediate: false });
  }

  begin(): this {
    this.#quiet = false;
    return this;
  }

  openTaking(): { readonly connection: RedisConnection; close(): void } {
    const connection = this.#connect('take');
    return { connection, close: () => connection.disconnect() };
  }

  answerOf<T>(ask: () => Promise<T>): Promise<T> {
    return answerOf(this.connection, this.#place, this.#options.clock, ask);
  }

  ping(): Promise<unknown> {
    return this.connection.ping();
  }

  async send(channel: string, message: string): Promise<void> {
    await this.connection.publish(this.#channelPrefix + channel, message);
  }

  async subscribe(channel: string, listener: (message: string) => void): Promise<Unsubscribe> {
    const connection = (this.#listening ??= this.#listen());
    const name = this.#channelPrefix + channel;
    const unsubscribe = this.#listeners.add(channel, listener, () => {
      connection.unsubscribe(name).catch(() => undefined);
    });
    // An outage delays it until that has ended.
    await settledWithin(this.#options.clock, answerTimeoutMs, connection.subscribe(name));
    return unsubscribe;
  }

  complain(error: unknown): void {
    if (isVanished(error)) return;
    if (!isOutage(error)) return void (this.#quiet || this.#options.onError(error));
    if (this.#quiet) return;
    // Every connection reports it at every try; it is passed on once, until reconnected.
    this.#quiet = true;
    this.#options.onError(unavailable(this.#place, error));
  }

  async close(): Promise<void> {
    this.#quiet = true;
    this.#listeners.clear();
    await this.#watchdog.stop();
    this.#listening?.disconnect();
    this.connection.disconnect();
  }

  #connect(use: RedisUse): RedisConnection {
    const connection = connectRedis(this.#place, use);
    connection.on('error', (error) => this.complain(error));
    return connection;
  }

  #listen(): RedisConnection {
    const connection = this.#connect('listen');
    connection.on('message', (name: string, message: string) => this.#listeners.tell(name.slice(this.#channelPrefix.length), message));
    this.#watchdog.start().catch(this.#options.onError);
    return connection;
  }

  async #askForSignOfLife(): Promise<void> {
    const connection = this.#listening;
    if (connection?.status !== 'ready') return;
    if (!(await settledWithin(this.#options.clock, answerTimeoutMs, connection.ping()))) connection.disconnect(true);
  }
}
