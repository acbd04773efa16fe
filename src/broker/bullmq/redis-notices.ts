/**
 * Messages between processes by Redis pub/sub. What is sent while somebody has no connection is lost for him.
 *
 * The connection that listens is made at the first subscription. After an outage it subscribes again by itself; one that
 * has died without a word is found by asking it for a sign of life every few seconds.
 */
import { settledWithin } from '../../base/clock.ts';
import type { Clock } from '../../base/clock.ts';
import { makeLoop } from '../../base/loop.ts';
import type { Loop } from '../../base/loop.ts';
import type { Unsubscribe } from '../broker.ts';
import { Listeners } from '../listeners.ts';
import { answerTimeoutMs, connectRedis } from './redis-connection.ts';
import type { RedisConnection } from './redis-connection.ts';
import type { RedisPlace } from './redis-url.ts';

export interface RedisNoticesOptions {
  readonly place: RedisPlace;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onError: (error: unknown) => void;
  /** What the connection itself complains about. */
  readonly onConnectionError: (error: unknown) => void;
}

const signOfLifeMs = 5_000;

export class RedisNotices {
  readonly #options: RedisNoticesOptions;
  readonly #prefix: string;
  readonly #listeners: Listeners;
  readonly #loop: Loop;
  #connection: RedisConnection | undefined;

  constructor(options: RedisNoticesOptions) {
    this.#options = options;
    // Channels know no databases, so the number is part of their name.
    this.#prefix = `${options.place.prefix}:${options.place.database}:notice:`;
    this.#listeners = new Listeners(options.onError);
    this.#loop = makeLoop({
      name: 'redis notices: sign of life',
      intervalMs: signOfLifeMs,
      immediate: false,
      step: () => this.#askForSignOfLife(),
      onError: options.onError,
      clock: options.clock,
      random: options.random,
    });
  }

  /** Sends through a connection of the caller's. */
  async send(connection: RedisConnection, channel: string, message: string): Promise<void> {
    await connection.publish(this.#prefix + channel, message);
  }

  async subscribe(channel: string, listener: (message: string) => void): Promise<Unsubscribe> {
    const connection = (this.#connection ??= this.#connect());
    const name = this.#prefix + channel;
    const unsubscribe = this.#listeners.add(channel, listener, () => {
      connection.unsubscribe(name).catch(() => undefined);
    });
    // An outage holds it back; it is sent when that has ended.
    await settledWithin(this.#options.clock, answerTimeoutMs, connection.subscribe(name));
    return unsubscribe;
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    await this.#loop.stop();
    this.#connection?.disconnect();
  }

  #connect(): RedisConnection {
    const connection = connectRedis(this.#options.place, 'listen');
    connection.on('error', this.#options.onConnectionError);
    connection.on('message', (name: string, message: string) => this.#listeners.tell(name.slice(this.#prefix.length), message));
    this.#loop.start().catch(this.#options.onError);
    return connection;
  }

  async #askForSignOfLife(): Promise<void> {
    const connection = this.#connection;
    if (connection?.status !== 'ready') return;
    if (!(await settledWithin(this.#options.clock, answerTimeoutMs, connection.ping()))) connection.disconnect(true);
  }
}
