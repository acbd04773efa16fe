/**
 * PostgreSQL below BullMQ: a fleet without Redis. BullMQ keeps its tables in its own schema and migrates them.
 *
 * BullMQ would make a pool for each queue and each worker. Here all putting shares one, and all taking another, which is replaced when a
 * consumer is found deaf; both together are `connections`. In addition, each queue that tickets are taken from has a connection that waits
 * to be woken, and one connection listens for messages.
 *
 * Messages go by NOTIFY on one channel for all. The listening connection is made at the first subscription, and again when lost; anything
 * sent meanwhile is lost.
 */
import pg from 'pg';
import { settledWithin } from '../../base/clock.ts';
import type { Clock } from '../../base/clock.ts';
import { makeId } from '../../base/id.ts';
import { BatutaError, isBatutaError } from '../../base/errors.ts';
import { makeLoop } from '../../base/loop.ts';
import type { Loop } from '../../base/loop.ts';
import { checkPostgresUrl } from '../../base/postgres-url.ts';
import { maskAddress } from '../../base/mask.ts';
import type { Unsubscribe } from '../broker.ts';
import { Listeners } from '../listeners.ts';
import type { SharedConnection } from './postgres-backend.ts';
import { isVanished } from './wire.ts';
import type { Wire } from './wire.ts';

export interface PostgresWireOptions {
  readonly url: string;
  /** Most connections to put and take tickets, at least 2. */
  readonly connections: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onError: (error: unknown) => void;
}

/** How long a notice to itself may take before a connection counts as deaf, ms. */
const heardWithinMs = 2_000;
const schema = 'batuta_bullmq';
const noticeChannel = 'batuta_notices';
const answerTimeoutMs = 5_000;
const relistenMs = 1_000;
/**
 * Connects and checks that the server answers.
 *
 * @throws BatutaError BROKER_UNAVAILABLE, also for a pooler that does not keep a session; CONFIG_INVALID
 */
export async function openPostgresWire(options: PostgresWireOptions): Promise<Wire> {
  checkPostgresUrl(options.url, maskAddress(options.url));
  const wire = new PostgresWire(options);
  try {
    await wire.answerOf(() => wire.ping());
    await wire.refuseDeafPool();
    return wire;
  } catch (error) {
    await wire.close();
    throw error;
  }
}

class PostgresWire implements Wire {
  readonly kind = 'postgres';
  readonly url: string;
  readonly prefix = '';
  readonly connection: SharedConnection;
  readonly #options: PostgresWireOptions;
  readonly #config;
  readonly #pool: pg.Pool;
  /** Shared by all consumers, except those still on the previous one. */
  #taking: { readonly pool: pg.Pool; users: number } | null = null;
  readonly #ending = new Set<Promise<void>>();
  readonly #listeners: Listeners;
  readonly #loop: Loop;
  #listening: pg.Client | undefined;
  #isOut = false;

  constructor(options: PostgresWireOptions) {
    this.#options = options;
    this.url = maskAddress(options.url);
    this.#config = {
      connectionString: options.url,
      connectionTimeoutMillis: answerTimeoutMs,
      keepAlive: true,
      application_name: 'batuta broker',
    };
    this.#pool = this.#makePool(Math.ceil(options.connections / 2));
    this.connection = this.#sharing(this.#pool);
    this.#listeners = new Listeners(options.onError);
    this.#loop = makeLoop({
      name: 'postgres notices: listen',
      intervalMs: relistenMs,
      immediate: false,
      step: () => this.#listen(),
      onError: (error) => this.complain(error),
      maxBackoffMs: relistenMs,
      clock: options.clock,
      random: options.random,
    });
  }

  openTaking(isAnew: boolean): { readonly connection: object; close(): void } {
    if (isAnew || this.#taking === null) this.#taking = { pool: this.#makePool(Math.floor(this.#options.connections / 2)), users: 0 };
    const taking = this.#taking;
    taking.users++;
    const close = (): void => {
      if (--taking.users > 0) return;
      if (this.#taking === taking) this.#taking = null;
      const ended = taking.pool.end().catch((error: unknown) => this.complain(error));
      this.#ending.add(ended);
      void ended.finally(() => this.#ending.delete(ended));
    };
    return { connection: this.#sharing(taking.pool), close };
  }

  /** BullMQ's tables are in its schema; queries here need none. */
  #makePool(max: number): pg.Pool {
    // Not as a startup parameter, which poolers refuse.
    const onConnect = (client: pg.ClientBase): unknown => client.query(`set search_path = "${schema}"`);
    const pool = new pg.Pool({ ...this.#config, max, onConnect });
    pool.on('error', (error) => this.complain(error));
    return pool;
  }

  #sharing(pool: pg.Pool): SharedConnection {
    return { ...this.#config, schema, migrate: true, pool };
  }

  async answerOf<T>(ask: () => Promise<T>): Promise<T> {
    const answer = ask();
    try {
      if (!(await settledWithin(this.#options.clock, answerTimeoutMs, answer))) throw new Error('no answer');
      const value = await answer;
      this.#isOut = false;
      return value;
    } catch (error) {
      throw this.#unavailable(error);
    }
  }

  ping(): Promise<unknown> {
    return this.#pool.query('select 1');
  }

  /** LISTEN and BullMQ's prepared statements need their own session, which transaction poolers do not give. */
  async refuseDeafPool(): Promise<void> {
    const client = await this.#pool.connect();
    try {
      const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
      // A pooler gives clients its own process number. Source: PostgreSQL, protocol, BackendKeyData.
      const isPooled = 'processID' in client && client.processID !== rows[0]?.pid;
      if (!isPooled) return;
      const probe = `batuta_probe_${makeId().replaceAll('-', '_')}`;
      const heard = new Promise<void>((resolve) => client.once('notification', () => resolve()));
      await client.query(`listen ${probe}`);
      await this.#pool.query('select pg_notify($1, $2)', [probe, '']);
      const isHeard = await settledWithin(this.#options.clock, heardWithinMs, heard);
      await client.query(`unlisten ${probe}`);
      if (isHeard) return;
    } catch (error) {
      throw this.#unavailable(error);
    } finally {
      client.release();
    }
    throw new BatutaError(
      'BROKER_UNAVAILABLE',
      `BATUTA_BROKER_URL (${this.url}) goes through a pooler that keeps no session (pool_mode = transaction), so no worker could be woken. Point it at PostgreSQL itself, or at a session pooler; BATUTA_DATABASE_URL may stay as it is.`,
      { details: { broker: this.url } },
    );
  }

  async send(channel: string, message: string): Promise<void> {
    await this.#pool.query('select pg_notify($1, $2)', [noticeChannel, `${channel}\n${message}`]);
  }

  async subscribe(channel: string, listener: (message: string) => void): Promise<Unsubscribe> {
    const unsubscribe = this.#listeners.add(channel, listener);
    await this.#loop.start();
    await this.#listen().catch((error: unknown) => this.complain(error));
    return unsubscribe;
  }

  complain(error: unknown): void {
    if (this.#isOut || isVanished(error)) return;
    this.#isOut = true;
    this.#options.onError(this.#unavailable(error));
  }

  async close(): Promise<void> {
    this.#isOut = true;
    this.#listeners.clear();
    await this.#loop.stop();
    await this.#listening?.end().catch(() => undefined);
    await Promise.all([this.#pool.end(), ...this.#ending]);
  }

  async #listen(): Promise<void> {
    if (this.#listening !== undefined || this.#listeners.empty) return;
    const client = new pg.Client({ ...this.#config, application_name: 'batuta notices' });
    this.#listening = client;
    const forget = (): void => {
      if (this.#listening === client) this.#listening = undefined;
    };
    client.on('error', forget);
    client.on('end', forget);
    client.on('notification', ({ payload = '' }) => {
      const end = payload.indexOf('\n');
      this.#listeners.tell(payload.slice(0, end), payload.slice(end + 1));
    });
    try {
      await client.connect();
      await client.query(`listen ${noticeChannel}`);
    } catch (error) {
      forget();
      await client.end().catch(() => undefined);
      throw error;
    }
  }

  #unavailable(cause: unknown): BatutaError {
    if (isBatutaError(cause)) return cause;
    const reason =
      cause instanceof AggregateError ? cause.errors.map(String).join(', ') : cause instanceof Error ? cause.message : String(cause);
    return new BatutaError(
      'BROKER_UNAVAILABLE',
      `PostgreSQL at ${this.url} cannot carry tickets (${reason}). Check the URL and that the server is running.`,
      {
        details: { broker: this.url },
        cause,
      },
    );
  }
}
