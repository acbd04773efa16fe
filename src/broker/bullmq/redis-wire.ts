/** Redis below BullMQ. */
import type { Clock } from '../../base/clock.ts';
import type { Unsubscribe } from '../broker.ts';
import { inspectRedis, refuseOldRedis } from './redis-check.ts';
import { answerOf, connectRedis, isOutage, unavailable, whenReady } from './redis-connection.ts';
import type { RedisConnection } from './redis-connection.ts';
import { RedisNotices } from './redis-notices.ts';
import { readRedisUrl } from './redis-url.ts';
import type { RedisPlace } from './redis-url.ts';
import { isVanished } from './wire.ts';
import type { Wire } from './wire.ts';

export interface RedisWireOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onError: (error: unknown) => void;
  /** Told once of each thing that is set wrongly on the server. */
  readonly onWarning: (sentence: string) => void;
}

/**
 * Connects, and looks whether the server is set well.
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
  readonly #notices: RedisNotices;
  /** Until it has begun, whoever opens it is told by the error of `openRedisWire`. */
  #quiet = true;

  constructor(place: RedisPlace, options: RedisWireOptions) {
    this.#place = place;
    this.#options = options;
    this.url = place.url;
    this.prefix = place.prefix;
    this.connection = connectRedis(place, 'ask');
    this.connection.on('error', (error) => this.complain(error));
    this.connection.on('ready', () => {
      this.#quiet = false;
    });
    this.#notices = new RedisNotices({ ...options, place, onConnectionError: (error) => this.complain(error) });
  }

  begin(): this {
    this.#quiet = false;
    return this;
  }

  openTaking(): { readonly connection: RedisConnection; close(): void } {
    const connection = connectRedis(this.#place, 'take');
    connection.on('error', (error) => this.complain(error));
    return { connection, close: () => connection.disconnect() };
  }

  answerOf<T>(ask: () => Promise<T>): Promise<T> {
    return answerOf(this.connection, this.#place, this.#options.clock, ask);
  }

  ping(): Promise<unknown> {
    return this.connection.ping();
  }

  async send(channel: string, message: string): Promise<void> {
    await this.#notices.send(this.connection, channel, message);
  }

  subscribe(channel: string, listener: (message: string) => void): Promise<Unsubscribe> {
    return this.#notices.subscribe(channel, listener);
  }

  complain(error: unknown): void {
    if (isVanished(error)) return;
    if (!isOutage(error)) return void (this.#quiet || this.#options.onError(error));
    if (this.#quiet) return;
    // Every connection says it at every try; it is told once, until there is a connection again.
    this.#quiet = true;
    this.#options.onError(unavailable(this.#place, error));
  }

  async close(): Promise<void> {
    this.#quiet = true;
    await this.#notices.close();
    this.connection.disconnect();
  }
}
