/** Opens a store by its URL. The only file that names the makers. */
import { systemClock, type Clock } from '../base/clock.ts';
import { BatutaError } from '../base/errors.ts';
import { assembleStore } from './assemble.ts';
import type { Connection } from './connection.ts';
import { maskAddress } from '../base/mask.ts';
import { refuseNewer, schemaVersion } from './migrations/migrate.ts';
import type { ServerLook } from './postgres/look.ts';
import type { Store } from './store.ts';

export interface OpenStoreOptions {
  /** `sqlite:path` (relative to the working folder), `sqlite::memory:`, `postgres://…` or `postgresql://…`. */
  readonly url: string;
  /** Time that leases on SQLite are compared with; PostgreSQL uses its own. Default the real one. */
  readonly clock?: Clock;
  /** Called for every failed flush of the recorder, in addition to its waiters. */
  readonly onError?: (error: unknown) => void;
  /** How long a statement on SQLite waits for the lock of another process, ms; default 60,000. */
  readonly busyTimeoutMs?: number;
  /** How long a flush waits for an unreachable PostgreSQL, ms; default 15,000. */
  readonly reconnectTimeoutMs?: number;
  /** Most connections to PostgreSQL, at least 3; default 13. */
  readonly connections?: number;
  /** Upper bound of a SQLite file in pages of 4 KiB, beyond which it behaves as on a full disk; default none. */
  readonly maxPages?: number;
  /** False leaves the schema as it is: for inspecting a database and for `migrate` by hand. Default true. */
  readonly migrate?: boolean;
}

/**
 * Opens the store, creates the file and its folder if missing, and brings the schema up to date.
 *
 * @throws BatutaError CONFIG_INVALID (no such kind of URL, or not in UTF8), STORE_NEWER, STORE_CORRUPT, STORE_READ_ONLY, STORE_FULL,
 * STORE_UNAVAILABLE
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const connection = await connect(options);
  const store = assembleStore(connection, { onError: options.onError });
  try {
    if (options.migrate ?? true) await store.migrate();
    else refuseNewer(await schemaVersion(connection), connection.url);
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

/**
 * Loads the code for the kind of database that a URL names, so that it is there when `openStore` needs it. Opens nothing; a URL that is not
 * understood is left to `openStore`.
 *
 * @throws BatutaError PACKAGE_MISSING
 */
export async function loadStoreCode(url: string): Promise<void> {
  if (isSqlite(url)) (await import('./sqlite/connection.ts')).loadDriver();
  else if (isPostgres(url)) await import('./postgres/connection.ts');
}

function isSqlite(url: string): boolean {
  return url.startsWith('sqlite:') && url.length > 'sqlite:'.length;
}

function isPostgres(url: string): boolean {
  return /^postgres(ql)?:\/\//.test(url);
}

async function connect({
  url,
  clock = systemClock,
  busyTimeoutMs = 60_000,
  reconnectTimeoutMs = 15_000,
  connections = 13,
  maxPages,
}: OpenStoreOptions): Promise<Connection> {
  if (isSqlite(url)) {
    const { openSqlite } = await import('./sqlite/connection.ts');
    return await openSqlite(url.slice('sqlite:'.length), { clock, busyTimeoutMs, maxPages });
  }
  if (isPostgres(url)) {
    const { openPostgres } = await import('./postgres/connection.ts');
    return await openPostgres(url, { reconnectTimeoutMs, connections });
  }
  throw new BatutaError(
    'CONFIG_INVALID',
    `The database URL "${maskAddress(url)}" is not understood. Write sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE.`,
    { details: { url: maskAddress(url) } },
  );
}

/** What a PostgreSQL server reports about itself, for people; null for SQLite. @throws BatutaError as `openStore` */
export async function lookAtDatabase(url: string): Promise<ServerLook | null> {
  if (!isPostgres(url)) return null;
  const { openPostgres } = await import('./postgres/connection.ts');
  const connection = await openPostgres(url, { reconnectTimeoutMs: 0, connections: 3 });
  try {
    return await connection.look();
  } finally {
    await connection.close();
  }
}
