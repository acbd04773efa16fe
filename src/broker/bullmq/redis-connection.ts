/**
 * Connections to Redis, each configured for its use, with their failures as one kind of error.
 *
 * - `ask`: puts, counts, messages. Refuses at once without a connection, and never waits long.
 * - `take`: fetches tickets and confirms them. Holds its commands during an outage, and sends them afterwards.
 * - `listen`: receives messages. Resubscribes after an outage.
 *
 * A lost connection is replaced after 50 ms to 1 s, forever.
 */
import { Cluster, Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';
import type { Clock } from '../../base/clock.ts';
import { BatutaError, isBatutaError } from '../../base/errors.ts';
import type { RedisPlace } from './redis-url.ts';

export type RedisUse = 'ask' | 'take' | 'listen';
export type RedisConnection = Redis | Cluster;

const connectTimeoutMs = 5_000;
/** Longest time of any single query, ms. */
export const answerTimeoutMs = 5_000;
/** A connection that owes an answer this long is dead, ms. Longer than BullMQ ever blocks (10 s). */
const silenceMs = 15_000;
const firstRetryMs = 50;
const longestRetryMs = 1_000;

/** A new connection, which connects by itself from now on. The caller must listen for errors. */
export function connectRedis(place: RedisPlace, use: RedisUse): RedisConnection {
  const common: Omit<RedisOptions, 'replyMapping'> = {
    ...(place.username === null ? {} : { username: place.username }),
    ...(place.password === null ? {} : { password: place.password }),
    ...(place.tls === null ? {} : { tls: place.tls }),
    connectTimeout: connectTimeoutMs,
    keepAlive: 10_000,
    maxRetriesPerRequest: use === 'ask' ? 1 : null,
    ...(use === 'ask' ? { commandTimeout: answerTimeoutMs } : {}),
    ...(use === 'listen' ? {} : { socketTimeout: silenceMs }),
    // A server that has become a replica refuses writes: find the new one, and repeat the command there.
    reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
  };
  const enableOfflineQueue = use !== 'ask';
  if (place.form === 'cluster') {
    return new Cluster([...place.nodes], {
      enableOfflineQueue,
      clusterRetryStrategy: retryMs,
      slotsRefreshTimeout: answerTimeoutMs,
      redisOptions: common,
    });
  }
  const shared: Omit<RedisOptions, 'replyMapping'> = { ...common, db: place.database, enableOfflineQueue, retryStrategy: retryMs };
  const [node] = place.nodes;
  if (place.form === 'single') return new Redis({ ...shared, ...node });
  return new Redis({
    ...shared,
    sentinels: [...place.nodes],
    name: place.sentinelName,
    sentinelRetryStrategy: retryMs,
    ...(place.sentinelPassword === null ? {} : { sentinelPassword: place.sentinelPassword }),
    ...(place.tls === null ? {} : { enableTLSForSentinelMode: true, sentinelTLS: place.tls }),
  });
}

/**
 * Resolves once the connection is usable; throws the first failure, without another try.
 *
 * @throws BatutaError BROKER_UNAVAILABLE
 */
export async function whenReady(connection: RedisConnection, place: RedisPlace, clock: Clock): Promise<void> {
  if (connection.status === 'ready') return;
  await new Promise<void>((resolve, reject) => {
    const settle = (error?: unknown): void => {
      timer.cancel();
      connection.off('ready', settle);
      connection.off('error', settle);
      if (error === undefined) resolve();
      else reject(unavailable(place, error));
    };
    const timer = clock.setTimer(connectTimeoutMs + 1_000, () => settle(new Error('no answer')));
    connection.once('ready', settle);
    connection.once('error', settle);
  });
}

/**
 * The answer to a query, or why there is none, within `answerTimeoutMs`.
 *
 * @throws BatutaError BROKER_UNAVAILABLE
 */
export async function answerOf<T>(connection: RedisConnection, place: RedisPlace, clock: Clock, ask: () => Promise<T>): Promise<T> {
  if (connection.status !== 'ready') throw unavailable(place, new Error('not connected'));
  let fail: (error: Error) => void = () => undefined;
  const tooLong = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  const timer = clock.setTimer(answerTimeoutMs, () => fail(new Error('no answer')));
  try {
    return await Promise.race([ask(), tooLong]);
  } catch (error) {
    throw unavailable(place, error);
  } finally {
    timer.cancel();
  }
}

/** The error for a failed connection. */
export function unavailable(place: RedisPlace, cause: unknown): BatutaError {
  if (isBatutaError(cause)) return cause;
  return new BatutaError('BROKER_UNAVAILABLE', `Redis at ${place.url} ${reasonOf(cause)}`, { details: { broker: place.url }, cause });
}

/** Whether an error only means that there is no connection (yet). */
export function isOutage(error: unknown): boolean {
  const text = error instanceof Error ? `${error.message} ${'code' in error ? String(error.code) : ''}` : '';
  return /ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|Connection is closed|closed the connection|Socket timeout|timed out|sentinels are unreachable|slots cache|LOADING|max retries|writeable|CLUSTERDOWN|None of/i.test(
    text,
  );
}

function reasonOf(cause: unknown): string {
  const error = cause instanceof Error && 'lastNodeError' in cause && cause.lastNodeError instanceof Error ? cause.lastNodeError : cause;
  const text = error instanceof Error ? error.message || String('code' in error ? error.code : error) : String(error);
  if (/WRONGPASS|invalid.*password|ERR AUTH/i.test(text)) return 'refuses the user or password of the URL.';
  if (/NOAUTH/i.test(text)) return 'asks for a password, and the URL has none. Write redis://:PASSWORD@HOST.';
  if (/NOPERM/i.test(text)) return `does not let this user do what is needed (${text}).`;
  if (/wrong version number|SSL|certificate|self.signed/i.test(text))
    return `cannot be spoken to by TLS (${text}). Check redis:// or rediss://, and its certificate.`;
  return `cannot be reached (${text}). Check the URL and that the server is running.`;
}

function retryMs(times: number): number {
  return Math.min(firstRetryMs * 2 ** Math.min(times - 1, 10), longestRetryMs);
}
