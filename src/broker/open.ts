/** Opens a broker by URL. The only file that names the makers. */
import { systemClock } from '../base/clock.ts';
import type { Clock } from '../base/clock.ts';
import { BatutaError } from '../base/errors.ts';
import { maskAddress } from '../base/mask.ts';
import type { Broker } from './broker.ts';
import type { RedisReport } from './bullmq/redis-check.ts';
import type { PostgresWireOptions } from './bullmq/postgres-wire.ts';
import type { RedisWireOptions } from './bullmq/redis-wire.ts';
import type { TicketKeeper } from './local/ticket-table.ts';
import type { Wire } from './bullmq/wire.ts';

export { checkPut, checkQueueName } from './checks.ts';
export type { RedisReport } from './bullmq/redis-check.ts';
export type { TicketKeeper } from './local/ticket-table.ts';

export interface OpenBrokerOptions {
  /**
   * `redis://…` or `rediss://…` (options: see `redis-url.ts`), or `postgres://…` for BullMQ in its own schema there; null: the local
   * broker, which keeps its tickets in `store`.
   */
  readonly url: string | null;
  /** The project's open store; the broker neither migrates nor closes it. Needed only by the local broker. */
  readonly store: TicketKeeper;
  /** How long a taken ticket is reserved without a sign of life of its taker, ms; default 15,000, at least 300. */
  readonly visibilityMs?: number;
  /** How long a consumer may hear nothing before it reconnects, ms; default 20,000, at least 2,000. Redis only. */
  readonly deafAfterMs?: number;
  /** Most connections to put and take tickets, at least 2; default 8. PostgreSQL only. */
  readonly connections?: number;
  readonly clock?: Clock;
  /** From 0 to below 1; default `Math.random`. */
  readonly random?: () => number;
  /** Gets failures in the background, and errors of handlers and listeners; an outage once. Default: ignored. */
  readonly onError?: (error: unknown) => void;
  /** Gets one sentence for each server setting to change, such as its eviction policy. Default: ignored. */
  readonly onWarning?: (sentence: string) => void;
}

const defaultVisibilityMs = 15_000;
const defaultDeafAfterMs = 20_000;
const defaultConnections = 8;

/**
 * Opens the broker and checks that it answers.
 *
 * @throws BatutaError CONFIG_INVALID (URL), BROKER_UNAVAILABLE (within about 6 s)
 */
export async function openBroker(options: OpenBrokerOptions): Promise<Broker> {
  const {
    url,
    store,
    visibilityMs = defaultVisibilityMs,
    deafAfterMs = defaultDeafAfterMs,
    connections = defaultConnections,
    clock = systemClock,
    random = Math.random,
    onError = () => undefined,
    onWarning = () => undefined,
  } = options;
  if (url === null) {
    const { LocalBroker } = await import('./local/local-broker.ts');
    return new LocalBroker({ keeper: store, visibilityMs, clock, random, onError });
  }
  if (/^(rediss?|postgres(ql)?):/.test(url)) {
    const wire = await openWire(url, { url, connections, clock, random, onError, onWarning });
    const { BullmqBroker } = await import('./bullmq/bullmq-broker.ts');
    return new BullmqBroker({ wire, visibilityMs, deafAfterMs, clock, random, onError });
  }
  throw new BatutaError(
    'CONFIG_INVALID',
    `The broker URL "${maskAddress(url)}" is not understood. Write redis://HOST, rediss://HOST or postgres://HOST, or leave it out.`,
    { details: { url: maskAddress(url) } },
  );
}

async function openWire(url: string, options: RedisWireOptions & PostgresWireOptions): Promise<Wire> {
  if (!url.startsWith('postgres')) return await (await import('./bullmq/redis-wire.ts')).openRedisWire(options);
  return await (await import('./bullmq/postgres-wire.ts')).openPostgresWire(options);
}

/**
 * Checks a Redis server's configuration for tickets.
 *
 * @throws BatutaError CONFIG_INVALID (URL), BROKER_UNAVAILABLE
 */
export async function checkRedis(url: string): Promise<RedisReport> {
  const check = await import('./bullmq/redis-check.ts');
  return await check.checkRedis(url);
}

/**
 * Opens the PostgreSQL that carries tickets like a worker, and closes it. Returns its URL without the password.
 *
 * @throws BatutaError CONFIG_INVALID (URL), BROKER_UNAVAILABLE
 */
export async function checkPostgres(url: string): Promise<string> {
  const unheard = (): void => undefined;
  const wire = await openWire(url, {
    url,
    connections: defaultConnections,
    clock: systemClock,
    random: Math.random,
    onError: unheard,
    onWarning: unheard,
  });
  try {
    return wire.url;
  } finally {
    await wire.close();
  }
}
