/**
 * A SQLite file (or memory) through libsql: one connection, synchronous calls, WAL.
 *
 * Several processes may share the file. Every write transaction begins IMMEDIATE: a deferred one fails at once if another process has
 * written since it began reading. A held lock is waited for, inside SQLite for a moment (`lockSliceMs`), then between turns of the event
 * loop, `busyTimeoutMs` in total.
 *
 * A crash loses nothing that was promised to a living process and never damages the file. `synchronous = NORMAL` means that power loss may
 * undo the last transactions, never tear one.
 */
import { accessSync, chmodSync, closeSync, constants, existsSync, mkdirSync, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type Libsql from 'libsql';
import { type Clock, systemClock } from '../../base/clock.ts';
import { requirePackage } from '../../base/packages.ts';
import type { Batch } from '../batch.ts';
import type { Connection, Database, Query } from '../connection.ts';
import { isBusy, readOnlyError, storeError } from '../errors.ts';
import type { Claim } from '../store.ts';
import { Mutex } from '../../base/mutex.ts';
import { FlushWriter } from './flush.ts';
import { sqliteFragments } from './fragments.ts';
import { freeReserve, keepReserve, watchWrites } from './files.ts';
import { Statements, type PreparedNumbers } from './statements.ts';
import type { Value } from '../table.ts';

export interface SqliteOptions {
  /** Time that leases are compared with. */
  readonly clock: Clock;
  /** How long a statement waits for a lock in total, ms. */
  readonly busyTimeoutMs: number;
  /** Upper bound of the file in pages of 4 KiB; writes beyond it fail as on a full disk. */
  readonly maxPages?: number | undefined;
}

/** How much a bounded file may grow once its reserve is freed. */
const reservePages = 128;

/** How long SQLite itself waits for a lock before the event loop gets its turn again. */
const lockSliceMs = 100;

/** @throws BatutaError PACKAGE_MISSING */
export function loadDriver(): typeof Libsql {
  return requirePackage('libsql', () => import('libsql'));
}

/**
 * Opens the file, which is created with its folder if missing; `:memory:` lives as long as the connection.
 *
 * @throws BatutaError STORE_UNAVAILABLE, STORE_READ_ONLY, STORE_CORRUPT, PACKAGE_MISSING
 */
export async function openSqlite(path: string, options: SqliteOptions): Promise<SqliteConnection> {
  const SqliteFile = loadDriver();
  try {
    if (path !== ':memory:') makePrivate(path);
    // SQLite itself would allow reads of an up-to-date file, and refuse the first write.
    if (isRefusedByPermissions(path)) throw new Error('The file or its folder is not writable.');
    const connection = new SqliteConnection(path, () => new SqliteFile(path, { timeout: lockSliceMs }), options);
    await connection.configure();
    keepReserve(path);
    return connection;
  } catch (error) {
    throw isRefusedByPermissions(path) ? readOnlyError(error, path) : storeError(error, path);
  }
}

/**
 * Creates the file if missing, for its owner alone, and its folder likewise; SQLite's other files inherit that. In a folder of Batuta's
 * own, others lose their rights to an existing store.
 */
function makePrivate(path: string): void {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600));
  if (basename(folder) !== '.batuta' || process.platform === 'win32') return;
  try {
    chmodSync(folder, 0o700);
    for (const ending of ['', '-wal', '-shm', '-reserve']) if (existsSync(path + ending)) chmodSync(path + ending, 0o600);
  } catch {
    // Owned by another: used as it is.
  }
}

/** The driver only says that it could not open the file; the file system knows why. */
function isRefusedByPermissions(path: string): boolean {
  if (path === ':memory:') return false;
  const places = [path, dirname(path)].filter((place) => existsSync(place));
  return places.some((place) => !isWritable(place));
}

function isWritable(place: string): boolean {
  try {
    accessSync(place, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

export class SqliteConnection implements Connection {
  readonly dialect = 'sqlite';
  readonly url: string;
  readonly fragments = sqliteFragments;
  readonly query: Query = (text, params = []) => this.#exclusive(() => this.#statements.all(numbered(text), params));
  /** Every statement is kept prepared here. */
  readonly prepared: Query = this.query;
  readonly #path: string;
  readonly #openFile: () => Libsql.Database;
  readonly #options: SqliteOptions;
  #database: Libsql.Database;
  #statements: Statements;
  /** Held while a transaction is open across turns; everything else waits, or it would become part of it. */
  readonly #mutex = new Mutex();
  #writer: FlushWriter | undefined;
  #dataVersion: PreparedNumbers | undefined;
  #closed = false;
  /** Set when a statement gave up on a lock: the driver still considers it running, and later work on the connection would not commit. */
  #mustRenew = false;

  constructor(path: string, openFile: () => Libsql.Database, options: SqliteOptions) {
    this.#path = path;
    this.url = `sqlite:${path}`;
    this.#openFile = openFile;
    this.#database = openFile();
    this.#options = options;
    this.#statements = new Statements(this.#database);
  }

  /** Sets the pragmas. Switching to WAL needs the file alone for a moment. */
  async configure(): Promise<void> {
    await this.#retry(() => this.#setPragmas(this.#statements));
  }

  #setPragmas(statements: Statements): void {
    const { maxPages } = this.#options;
    for (const pragma of pragmas) statements.all(`pragma ${pragma}`, []);
    if (maxPages !== undefined) statements.all(`pragma max_page_count = ${maxPages}`, []);
  }

  /** Reopens the file, replacing an unusable connection. */
  #renew(): void {
    const database = this.#openFile();
    const statements = new Statements(database);
    try {
      this.#setPragmas(statements);
    } catch (error) {
      database.close();
      throw error;
    }
    const old = this.#database;
    [this.#database, this.#statements, this.#writer, this.#dataVersion] = [database, statements, undefined, undefined];
    this.#mustRenew = false;
    old.close();
  }

  blob(text: string, params: readonly Value[]): Promise<Uint8Array | null> {
    return this.#exclusive(() => this.#statements.blob(numbered(text), params));
  }

  freeReserve(): void {
    const { maxPages } = this.#options;
    freeReserve(this.#path);
    if (maxPages !== undefined) this.#statements.all(`pragma max_page_count = ${maxPages + reservePages}`, []);
  }

  async transaction<T>(work: (db: Database) => Promise<T>): Promise<T> {
    return await this.#mutex.run(async () => {
      try {
        await this.#retry(() => this.#statements.all('begin immediate', []));
        try {
          const { dialect, url, fragments, now } = this;
          const query: Query = async (text, params = []) => this.#statements.all(numbered(text), params);
          const value = await work({ dialect, url, fragments, now, query });
          this.#statements.all('commit', []);
          return value;
        } catch (error) {
          this.#rollback();
          throw error;
        }
      } catch (error) {
        throw storeError(error, this.#path);
      }
    });
  }

  migration<T>(work: (db: Database) => Promise<T>): Promise<T> {
    return this.transaction(work);
  }

  readonly now = (): number => this.#options.clock.now();

  writeBatch(batch: Batch): readonly Claim[] | Promise<readonly Claim[]> {
    if (!this.#mutex.held && !this.#mustRenew) {
      try {
        return this.#write(batch);
      } catch (error) {
        if (!isBusy(error)) throw storeError(error, this.#path);
      }
    }
    return this.#exclusive(() => this.#write(batch));
  }

  dataVersion(): number {
    this.#dataVersion ??= this.#statements.prepareNumbers('pragma data_version');
    return Number(this.#dataVersion.first([])?.[0] ?? 0);
  }

  watchWrites(onWrite: () => void): (() => void) | null {
    return watchWrites(this.#path, onWrite);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#mutex.run(() => {
      this.#dataVersion = undefined;
      this.#statements.clear();
      this.#database.close();
    });
  }

  #write(batch: Batch): Claim[] {
    this.#writer ??= new FlushWriter(this.#statements);
    this.#statements.prepare('begin immediate').run([]);
    try {
      const refused = this.#writer.write(batch, this.now());
      this.#statements.prepare('commit').run([]);
      return refused;
    } catch (error) {
      this.#rollback();
      throw error;
    }
  }

  /** SQLite has rolled back by itself if the disk was full. */
  #rollback(): void {
    if (this.#database.inTransaction) this.#statements.all('rollback', []);
  }

  async #exclusive<T>(work: () => T): Promise<T> {
    return await this.#mutex.run(() => this.#guarded(work));
  }

  async #guarded<T>(work: () => T): Promise<T> {
    try {
      return await this.#retry(work);
    } catch (error) {
      throw storeError(error, this.#path);
    }
  }

  async #retry<T>(work: () => T): Promise<T> {
    try {
      return await retryBusy(this.#options.busyTimeoutMs, () => {
        if (this.#mustRenew) this.#renew();
        return work();
      });
    } catch (error) {
      if (isBusy(error)) this.#mustRenew = true;
      throw error;
    }
  }
}

const pragmas = ['journal_mode = wal', 'synchronous = normal', 'cache_size = -16000', 'temp_store = memory'];

/** `$1` is a name to SQLite and `?1` a number, as meant. */
function numbered(text: string): string {
  return text.replace(/\$(\d+)/g, '?$1');
}

const firstWaitMs = 1;
const longestWaitMs = 50;

/**
 * Calls `attempt` until it gets the lock.
 *
 * SQLite itself waits a little inside each attempt; between them the loop is free. Gives up with the last error after `timeoutMs`. Always
 * by the real clock: the other process does not live in the time of a test.
 */
async function retryBusy<T>(timeoutMs: number, attempt: () => T): Promise<T> {
  const startedAt = systemClock.monotonic();
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error) || systemClock.monotonic() - startedAt > timeoutMs) throw error;
    }
    await systemClock.sleep(waitMs);
  }
}
