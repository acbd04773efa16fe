/** Checks a Redis server's configuration for tickets. */
import { Cluster } from 'ioredis';
import type { Redis } from 'ioredis';
import type { Clock } from '../../base/clock.ts';
import { systemClock } from '../../base/clock.ts';
import { BatutaError } from '../../base/errors.ts';
import { answerOf, connectRedis, whenReady } from './redis-connection.ts';
import type { RedisConnection } from './redis-connection.ts';
import { readRedisUrl } from './redis-url.ts';
import type { RedisPlace } from './redis-url.ts';

/** Findings. */
export interface RedisReport {
  /** Without passwords. */
  readonly url: string;
  /** E.g. `7.0.15`; `unknown` if the server does not say. For a Cluster the oldest node's. */
  readonly version: string;
  /** `maxmemory-policy`; `unknown` if the server does not say. For a Cluster that of a misconfigured node, if any. */
  readonly evictionPolicy: string;
  /** Time of one round trip, ms. */
  readonly latencyMs: number;
  /** One sentence for each thing to change; empty if all is well. */
  readonly warnings: readonly string[];
}

const goodPolicy = 'noeviction';
/** Share of its maxmemory that a server may use. */
const nearlyFull = 0.9;
const oldestGood = [6, 2] as const;
/** BullMQ's scripts need this. */
const oldestPossible = [5, 0] as const;

/**
 * Connects, checks, closes.
 *
 * @throws BatutaError CONFIG_INVALID (URL), BROKER_UNAVAILABLE
 */
export async function checkRedis(url: string, { clock = systemClock }: { readonly clock?: Clock } = {}): Promise<RedisReport> {
  const place = readRedisUrl(url);
  const connection = connectRedis(place, 'ask');
  connection.on('error', () => undefined);
  try {
    await whenReady(connection, place, clock);
    return await inspectRedis(connection, place, clock);
  } finally {
    connection.disconnect();
  }
}

/**
 * The same over a ready connection.
 *
 * @throws BatutaError BROKER_UNAVAILABLE
 */
export async function inspectRedis(connection: RedisConnection, place: RedisPlace, clock: Clock): Promise<RedisReport> {
  const startedAt = clock.monotonic();
  await answerOf(connection, place, clock, () => connection.ping());
  const latencyMs = clock.monotonic() - startedAt;
  const infos = await answerOf(connection, place, clock, () => Promise.all(serversOf(connection).map((server) => server.info())));
  const versions = infos.map((info) => valueOf(info, 'redis_version'));
  const policies = infos.map((info) => valueOf(info, 'maxmemory_policy'));
  // The worst counts.
  const version = versions.reduce(olderOf, 'unknown');
  const evictionPolicy = policies.find((it) => policyWarnings(place, it).length > 0) ?? policies[0] ?? 'unknown';
  return {
    url: place.url,
    version,
    evictionPolicy,
    latencyMs,
    warnings: [...policyWarnings(place, evictionPolicy), ...memoryWarnings(place, infos), ...versionWarnings(place, version)],
  };
}

/**
 * Refuses a server unsuitable for tickets.
 *
 * @throws BatutaError BROKER_UNAVAILABLE
 */
export function refuseOldRedis({ url, version }: RedisReport): void {
  if (!isOlder(version, oldestPossible)) return;
  throw new BatutaError('BROKER_UNAVAILABLE', `Redis at ${url} is version ${version}; tickets need ${oldestPossible.join('.')} or newer.`, {
    details: { broker: url, version },
  });
}

/** All nodes of a Cluster: a replica may replace its master at any time. */
function serversOf(connection: RedisConnection): readonly Redis[] {
  return connection instanceof Cluster ? connection.nodes('all') : [connection];
}

function valueOf(info: string, name: string): string {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? 'unknown';
}

function policyWarnings({ url }: RedisPlace, policy: string): string[] {
  if (policy === goodPolicy || policy === 'unknown') return [];
  return [
    `Redis at ${url} throws keys away when its memory is full (maxmemory-policy ${policy}): tickets may vanish and runs start late. ` +
      'Set it to noeviction: redis-cli CONFIG SET maxmemory-policy noeviction, and the same in redis.conf.',
  ];
}

/** Of the fullest node. */
function memoryWarnings({ url }: RedisPlace, infos: readonly string[]): string[] {
  const shares = infos.map((info) => {
    const most = Number(valueOf(info, 'maxmemory'));
    return most > 0 ? Number(valueOf(info, 'used_memory')) / most : 0;
  });
  const fullest = Math.max(0, ...shares);
  if (!(fullest > nearlyFull)) return [];
  const percent = Math.round(fullest * 100);
  return [
    `Redis at ${url} uses ${percent} % of its maxmemory: once it is full it takes no tickets. Give it more, or see what else is kept in it.`,
  ];
}

function versionWarnings({ url }: RedisPlace, version: string): string[] {
  if (!isOlder(version, oldestGood)) return [];
  return [`Redis at ${url} is version ${version}; ${oldestGood.join('.')} is the oldest that tickets are tested with.`];
}

/** False if unknown. */
function isOlder(version: string, [wantedMajor, wantedMinor]: readonly [number, number]): boolean {
  const [major, minor] = numbersOf(version);
  return major < wantedMajor || (major === wantedMajor && minor < wantedMinor);
}

function olderOf(one: string, other: string): string {
  return one === 'unknown' || isOlder(other, numbersOf(one)) ? other : one;
}

function numbersOf(version: string): readonly [number, number] {
  const [major = Number.NaN, minor = 0] = version.split('.').map(Number);
  return [major, minor];
}
