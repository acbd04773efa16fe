/**
 * PostgreSQL through a pool of `pg`, and a separate connection for the recorder.
 *
 * The recorder's connection may be lost at any moment: server restarted, network gone. A flush then reconnects and repeats itself, with
 * growing waits, until `reconnectTimeoutMs` are over; it writes once, whatever was lost (see `flush-text.ts`). All other calls fail with
 * STORE_UNAVAILABLE and leave retrying to the caller.
 */
import type { Database, Connection, Query } from '../connection.ts';
import type { PoolUse } from '../pool-use.ts';
import { hostname } from 'node:os';
import { systemClock } from '../../base/clock.ts';
import { makeId } from '../../base/id.ts';
import { checkPostgresUrl, withoutTls } from '../../base/postgres-url.ts';
import type { Batch } from '../batch.ts';
import { maskAddress } from '../../base/mask.ts';
import { isLostStatement, isPassing, isTlsMissing, isUniqueViolation, openingError, storeError } from '../errors.ts';
import type { Claim } from '../store.ts';
import { flushStatement, type FlushStatement } from './flush.ts';
import { newMarkText } from './flush-text.ts';
import { lookAtServer, notUnicode, type ServerLook } from './look.ts';
import { getTypeParser, preparedSettings, recorderSettings, statementName, postgresFragments } from './session.ts';
import { storableValue } from '../storable.ts';
import type { Value } from '../table.ts';
import pg from 'pg';

/** A claim that does not hold; without a run, see `flush-text.ts`. */
interface Refusal {
  readonly runId: string | null;
  readonly epoch: number | null;
}

const noClaims: readonly Claim[] = [];

export interface PostgresOptions {
  /** How long a flush waits for an unreachable server, ms. */
  readonly reconnectTimeoutMs: number;
  /** Most connections, at least 3: one for the recorder, a third of the others for prepared statements. */
  readonly connections: number;
}

/** Fewest connections of a process. */
export const minConnections = 3;

const connectTimeoutMs = 5000;
/** Longer than the loops of a fleet pause: reconnecting costs more than a query. */
const idleTimeoutMs = 30_000;
const firstWaitMs = 20;
const longestWaitMs = 1000;
/** Key of the advisory lock of migrations; any unused number. */
const migrationLock = 7_236_018_824;

/** Connections for prepared statements; one does unless many ask at once. */
const mostPrepared = 4;

/**
 * Connects and inspects the server. Through a pooler nothing is prepared or set for a session, so that transaction pooling works.
 *
 * @throws BatutaError STORE_UNAVAILABLE, STORE_READ_ONLY; CONFIG_INVALID for an unknown sslmode, and for a new database that is not in UTF8
 */
export async function openPostgres(url: string, options: PostgresOptions): Promise<PostgresConnection> {
  checkPostgresUrl(url, maskAddress(url));
  const connection = new PostgresConnection(url, options);
  try {
    const { encoding, isMade } = await connection.look();
    if (encoding !== 'UTF8' && !isMade) throw notUnicode(connection.url, encoding);
    return connection;
  } catch (error) {
    await connection.close();
    const plain = withoutTls(url);
    if (plain !== null && isTlsMissing(error)) return await openPostgres(plain, options);
    throw openingError(error, connection.url);
  }
}

export class PostgresConnection implements Connection {
  readonly dialect = 'postgres';
  readonly url: string;
  readonly fragments = postgresFragments;
  readonly query: Query = (text, params = []) => this.#mapped(async () => (await this.#pool.query(text, params.map(storableValue))).rows);
  readonly prepared: Query = (text, params = []) =>
    this.#mapped(async () => {
      const values = params.map(storableValue);
      if (this.#isPooled) return (await this.#pool.query(text, values)).rows;
      try {
        return (await this.#preparedPool.query({ name: statementName(text), text, values })).rows;
      } catch (error) {
        if (!isLostStatement(error)) throw error;
        this.#isPooled = true;
        return (await this.#pool.query(text, values)).rows;
      }
    });
  readonly #options: PostgresOptions;
  readonly #config: pg.ClientConfig;
  readonly #pool: pg.Pool;
  readonly #preparedPool: pg.Pool;
  /** Names this recorder in `flush_marks`. */
  readonly #writer = makeId();
  #batches = 0;
  /** Whether nothing may be prepared or set for a session, because the next transaction may use another connection. */
  #isPooled = false;
  /** The statement prepared in advance. */
  #next: { readonly batch: Batch; readonly statement: FlushStatement } | null = null;
  #recorder: pg.Client | null = null;
  #closed: Promise<void> | undefined;

  constructor(url: string, options: PostgresOptions) {
    this.url = maskAddress(url);
    this.#options = options;
    this.#config = {
      connectionString: url,
      connectionTimeoutMillis: connectTimeoutMs,
      keepAlive: true,
      application_name: `batuta ${hostname()} ${process.pid}`,
      types: { getTypeParser },
    };
    const most = Math.max(minConnections, options.connections) - 1;
    const prepared = Math.min(mostPrepared, Math.max(1, Math.floor(most / 3)));
    this.#pool = new pg.Pool({ ...this.#config, max: most - prepared, idleTimeoutMillis: idleTimeoutMs });
    // Idle connections that are lost report it here; the next query gets the error.
    this.#pool.on('error', () => undefined);
    this.#pool.on('connect', (client) => client.on('error', () => undefined));
    this.#preparedPool = new pg.Pool({
      ...this.#config,
      max: prepared,
      idleTimeoutMillis: idleTimeoutMs,
      onConnect: settingsOf(preparedSettings),
    });
    this.#preparedPool.on('error', () => undefined);
    this.#preparedPool.on('connect', (client) => client.on('error', () => undefined));
  }

  async blob(text: string, params: readonly Value[]): Promise<Uint8Array | null> {
    const rows = await this.#mapped(async () => (await this.#pool.query({ text, values: [...params], rowMode: 'array' })).rows);
    return (rows[0]?.[0] as Uint8Array | undefined) ?? null;
  }

  /** Inspects the server, and learns whether there is a pooler in between. */
  look(): Promise<ServerLook> {
    return this.#mapped(async () => {
      const client = await this.#pool.connect();
      try {
        const look = await lookAtServer(client);
        this.#isPooled = look.isPooled;
        return look;
      } finally {
        client.release();
      }
    });
  }

  async transaction<T>(work: (db: Database) => Promise<T>): Promise<T> {
    return await this.#mapped(async () => {
      const client = await this.#pool.connect();
      let lost: Error | undefined;
      try {
        await client.query('begin');
        const query: Query = async (text, params = []) => (await client.query(text, params.map(storableValue))).rows;
        const { dialect, url, fragments, now } = this;
        const value = await work({ dialect, url, fragments, now, query });
        await client.query('commit');
        return value;
      } catch (error) {
        await client.query('rollback').catch((rollbackError: Error) => {
          lost = rollbackError;
        });
        throw error;
      } finally {
        client.release(lost);
      }
    });
  }

  migration<T>(work: (db: Database) => Promise<T>): Promise<T> {
    return this.transaction(async (db) => {
      await db.query('select pg_advisory_xact_lock($1)', [migrationLock]);
      return await work(db);
    });
  }

  readonly now = (): null => null;

  async writeBatch(batch: Batch): Promise<readonly Claim[]> {
    let statement = this.#next?.batch === batch ? this.#next.statement : flushStatement(batch);
    this.#next = null;
    this.#batches += 1;
    const { reconnectTimeoutMs } = this.#options;
    const startedAt = systemClock.monotonic();
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
      try {
        return await this.#send(statement);
      } catch (error) {
        if (statement.isTrusting && isUniqueViolation(error)) {
          statement = flushStatement(batch, false);
          continue;
        }
        this.#dropRecorder();
        if (isLostStatement(error) && !this.#isPooled) {
          this.#isPooled = true;
          continue;
        }
        if (!isPassing(error) || systemClock.monotonic() - startedAt + waitMs > reconnectTimeoutMs) throw storeError(error, this.url);
      }
      await systemClock.sleep(waitMs);
    }
  }

  prepareBatch(batch: Batch): void {
    this.#next = { batch, statement: flushStatement(batch) };
  }

  /** The connection of the recorder is counted as active while it is open. */
  poolUse(): PoolUse {
    const pools = [this.#pool, this.#preparedPool];
    const sum = (count: (pool: pg.Pool) => number): number => pools.reduce((total, pool) => total + count(pool), 0);
    const idle = sum(({ idleCount }) => idleCount);
    const recorder = this.#recorder === null ? 0 : 1;
    return {
      active: sum(({ totalCount }) => totalCount) - idle + recorder,
      idle,
      waiting: sum(({ waitingCount }) => waitingCount),
      most: Math.max(minConnections, this.#options.connections),
    };
  }

  dataVersion(): null {
    return null;
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #send(statement: FlushStatement): Promise<readonly Claim[]> {
    // A lost connection clears the field during a statement: the error must come from the client.
    const recorder = (this.#recorder ??= await this.#connectRecorder());
    const { text, values } = statement;
    const mark = [this.#writer, this.#batches, systemClock.now()];
    const { rows } = await recorder.query<Refusal>({
      ...(this.#isPooled ? {} : { name: statementName(text) }),
      text,
      values: [...mark, ...values],
    });
    if (rows.length === 0) return noClaims;
    if (rows.some(({ runId, epoch }) => runId === null && epoch === null)) {
      // The very first batch, or the row was pruned.
      await recorder.query(newMarkText, mark);
      return await this.#send(statement);
    }
    return rows.filter((row): row is Claim => row.runId !== null);
  }

  async #connectRecorder(): Promise<pg.Client> {
    const client = new pg.Client({ ...this.#config, query_timeout: Math.max(this.#options.reconnectTimeoutMs, connectTimeoutMs) });
    client.on('error', () => {
      if (this.#recorder === client) this.#recorder = null;
    });
    await client.connect();
    if (!this.#isPooled) await client.query(recorderSettings);
    return client;
  }

  #dropRecorder(): void {
    const lost = this.#recorder;
    this.#recorder = null;
    lost?.end().catch(() => undefined);
  }

  async #end(): Promise<void> {
    const recorder = this.#recorder;
    this.#recorder = null;
    // The mark only matters while this recorder lives. What a killed process leaves is removed by the next pruning.
    if (this.#batches > 0) await this.#unmark(recorder).catch(() => undefined);
    await recorder?.end().catch(() => undefined);
    await Promise.all([this.#pool.end(), this.#preparedPool.end()]);
  }

  /** The connection of the recorder may have been lost since its last flush. */
  async #unmark(recorder: pg.Client | null): Promise<void> {
    const unmark = { text: 'delete from flush_marks where writer = $1', values: [this.#writer] };
    if (!(await recorder?.query(unmark).catch(() => null))) await this.#pool.query(unmark);
  }

  async #mapped<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw storeError(error, this.url);
    }
  }
}

/** The pool awaits the promise, though its types do not say so. */
function settingsOf(text: string): (client: pg.ClientBase) => unknown {
  return (client) => client.query(text);
}
