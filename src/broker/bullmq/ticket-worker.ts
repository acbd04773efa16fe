/**
 * Takes tickets of one queue into its consumer's places, by BullMQ's backend contract (`IQueueBackend`) and a worker without a processor:
 * the loop is ours, so that a place is taken before a ticket is requested.
 *
 * Place taken → ticket requested → none: the place is given back, and it waits for a wake-up, for the next ticket to become due, or for
 * `lookEveryMs`. A ticket keeps its place until its handler has ended and BullMQ has removed it, which returns the next one. A crash leaves
 * its tickets locked; the locks lapse after `visibilityMs`, and others get them.
 */
import { Job, PostgresQueueBackend, Worker } from 'bullmq';
import type { BackendFactory, ConnectionOptions, IQueueBackend, JobJson } from 'bullmq';
import { settledWithin } from '../../base/clock.ts';
import type { Clock } from '../../base/clock.ts';
import { makeLoop } from '../../base/loop.ts';
import type { Loop } from '../../base/loop.ts';
import type { Ticket } from '../broker.ts';
import type { Places } from '../places.ts';
import { sharedPostgresBackend } from './postgres-backend.ts';
import { isVanished } from './wire.ts';
import type { Wire } from './wire.ts';

export interface TicketWorkerOptions {
  readonly queue: string;
  /** The lowest is served first: 0 for the first queue the consumer was made with, less for later additions. */
  readonly rank: number;
  readonly connection: object;
  readonly places: Places;
  readonly wire: Wire;
  readonly visibilityMs: number;
  /** How long to wait for a wake-up before polling, ms. */
  readonly lookEveryMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  /** True if the ticket is to be given back. */
  work(ticket: Ticket): Promise<boolean>;
}

type TicketJob = Job<Ticket, void>;

/** How long one request for the next wake-up is open, s; it outlives several polls. */
const blockSeconds = 10;
/** Wait after an error before another try, ms. */
const retryMs = 200;
/** BullMQ fails a job lost more often than this; for us no loss counts. */
const maxStalledCount = 1_000_000;
/** How long to wait for a connection in progress before the worker is closed, ms. */
const readyMs = 5_000;

/** BullMQ's storage; undefined is Redis, its default. */
export const backendOf = (wire: Wire): BackendFactory | undefined => (wire.kind === 'postgres' ? sharedPostgresBackend : undefined);

/** How BullMQ reaches its tickets. It checks no server itself: it would print what it finds, and the wire has already checked. */
export const connectionOptions = (
  { prefix }: Wire,
  connection: object,
): { readonly connection: ConnectionOptions; readonly prefix: string; readonly skipVersionCheck: true } => ({
  connection,
  prefix,
  skipVersionCheck: true,
});

export class TicketWorker {
  /** When it last heard from the broker, monotonic ms. Polls every `lookEveryMs` while it could take a ticket. */
  lookedAt: number;
  /** Whether it waits for a place. */
  parked = false;
  /** Whether it requests tickets, or will once it is connected. */
  looping = true;
  readonly #options: TicketWorkerOptions;
  readonly #worker: Worker<Ticket, void, string, IQueueBackend>;
  readonly #backend: IQueueBackend;
  readonly #ready: Promise<void>;
  readonly #renewing: Loop;
  /** Tickets in progress, with their lock tokens. */
  readonly #locks = new Map<string, string>();
  #tokens = 0;
  #asked: Promise<unknown> | undefined;
  /** UTC epoch ms; 0: none known. */
  #nextDueAt = 0;
  #stopped = false;
  #ended: Promise<void> | undefined;

  constructor(options: TicketWorkerOptions) {
    this.#options = options;
    const { queue, connection, wire, visibilityMs, clock, random } = options;
    const workerOptions = {
      ...connectionOptions(wire, connection),
      lockDuration: visibilityMs,
      stalledInterval: Math.max(100, Math.floor(visibilityMs / 3)),
      maxStalledCount,
    };
    this.#worker = new Worker(queue, null, workerOptions, backendOf(wire) as undefined);
    this.#worker.on('error', (error) => this.#complain(error));
    this.#backend = this.#worker.getBackend();
    this.#ready = this.#worker.waitUntilReady();
    this.lookedAt = clock.monotonic();
    const intervalMs = visibilityMs / 3;
    const onError = (error: unknown): void => this.#complain(error);
    const step = (): Promise<void> => this.#renew();
    this.#renewing = makeLoop({
      name: 'broker: renew',
      intervalMs,
      maxBackoffMs: intervalMs,
      step,
      onError,
      clock,
      random,
      immediate: false,
    });
    this.#run()
      .catch(onError)
      .finally(() => (this.looping = false));
  }

  /** Takes nothing more; returns at once. */
  stopTaking(): void {
    this.#stopped = true;
    this.#backend.disconnectBlocking(false).catch(() => undefined);
  }

  /** Gives tickets in progress back to others. */
  async giveBack(): Promise<void> {
    for (const [id, token] of this.#locks) await this.#backend.moveJobFromActiveToWait(id, token);
  }

  /** Ends it, without waiting for handlers. Never rejects. */
  end(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #run(): Promise<void> {
    await this.#ready;
    await this.#worker.startStalledCheckTimer();
    await this.#renewing.start();
    const { places, rank, clock } = this.#options;
    while (!this.#stopped) {
      this.parked = true;
      const granted = await places.take(rank).granted;
      this.parked = false;
      if (!granted) return;
      try {
        const job = await this.#take();
        if (job === undefined) places.release();
        else void this.#workOn(job);
        if (job === undefined) await this.#wait();
      } catch (error) {
        // Requests made before the stop are refused.
        if (this.#stopped) return;
        this.#complain(error);
        await clock.sleep(retryMs);
      }
    }
  }

  async #take(): Promise<TicketJob | undefined> {
    const token = `${this.#worker.id}:${(this.#tokens += 1)}`;
    try {
      return this.#jobOf(await this.#backend.moveToActive(token), token);
    } catch (error) {
      this.#options.places.release();
      throw error;
    }
  }

  /** The job in BullMQ's answer; without one the answer says when the next is due. */
  #jobOf(answer: readonly unknown[], token: string): TicketJob | undefined {
    const [json, id, , dueAt] = answer as [JobJson | null | undefined, string, number, number | undefined];
    this.lookedAt = this.#options.clock.monotonic();
    if (json === null || json === undefined) {
      this.#nextDueAt = Number(dueAt ?? 0);
      return undefined;
    }
    const job: TicketJob = Job.fromJSON(this.#worker, json, id);
    job.token = token;
    return job;
  }

  /**
   * Waits for a wake-up, with our own timer, as Redis checks only ten times a second whether a wait is over. The request stays open, and
   * its answer is for the next wait.
   */
  async #wait(): Promise<void> {
    const { clock, lookEveryMs, places } = this.#options;
    // A wake-up is for workers with a place.
    if (this.#stopped || places.free === 0) return;
    const asked = (this.#asked ??= this.#backend.waitForJob(blockSeconds));
    const untilDueMs = this.#nextDueAt === 0 ? lookEveryMs : Math.max(1, this.#nextDueAt - clock.now());
    if (!(await settledWithin(clock, Math.min(untilDueMs, lookEveryMs), asked))) return;
    this.#asked = undefined;
    await asked;
  }

  /** Works on a ticket, and on those that BullMQ returns as it removes the previous one. */
  async #workOn(first: TicketJob): Promise<void> {
    const { places, work } = this.#options;
    for (let job: TicketJob | undefined = first; job !== undefined; ) {
      const { id = '', token = '' }: { readonly id?: string | undefined; readonly token?: string | undefined } = job;
      this.#locks.set(id, token);
      const isGivenBack = await work(job.data);
      this.#locks.delete(id);
      if (isGivenBack) await this.#putBack(id, token);
      job = isGivenBack ? undefined : await this.#remove(job, token);
    }
    places.release();
  }

  /**
   * Removes a ticket whose handler has ended; failures are retried for as long as others cannot get the ticket. The place passes to the
   * next ticket, unless a queue served before this one waits for it.
   */
  async #remove(job: TicketJob, token: string): Promise<TicketJob | undefined> {
    const { places, rank, clock, visibilityMs } = this.#options;
    for (const startedAt = clock.monotonic(); clock.monotonic() - startedAt < visibilityMs && this.#ended === undefined; ) {
      try {
        const takesNext = !this.#stopped && !places.closed && !places.isWantedBefore(rank);
        const answer = await job.moveToCompleted(undefined, token, takesNext);
        return Array.isArray(answer) ? this.#jobOf(answer, token) : undefined;
      } catch (error) {
        if (isVanished(error)) return undefined;
        this.#complain(error);
        await clock.sleep(retryMs);
      }
    }
    return undefined;
  }

  /** Lets others have a ticket at once; if that fails, once its lock has lapsed. */
  async #putBack(id: string, token: string): Promise<void> {
    try {
      await this.#backend.moveJobFromActiveToWait(id, token);
    } catch (error) {
      if (!isVanished(error)) this.#complain(error);
    }
  }

  async #renew(): Promise<void> {
    if (this.#locks.size === 0) return;
    await this.#worker.extendJobLocks([...this.#locks.keys()], [...this.#locks.values()], this.#options.visibilityMs);
  }

  async #end(): Promise<void> {
    this.stopTaking();
    await this.#renewing.stop();
    // BullMQ finishes a connection it has begun to make, and would leave it behind.
    await settledWithin(this.#options.clock, readyMs, this.#ready);
    if (this.#backend instanceof PostgresQueueBackend) await closeConnection(this.#backend);
    await this.#worker.close(true).catch(() => undefined);
  }

  /** Requests of a start are refused while it is being ended. */
  #complain(error: unknown): void {
    if (this.#ended === undefined) this.#options.wire.complain(error);
  }
}

/**
 * Closes BullMQ's PostgreSQL connection, which stops listening for errors of the client it ends: a server that shuts down at that moment
 * would end this process. The listener counts only if added after `close` has removed the others, which it does at once.
 */
async function closeConnection({ connection }: PostgresQueueBackend): Promise<void> {
  try {
    const client = await connection.getListenClient();
    const closed = connection.close();
    client.on('error', () => undefined);
    await closed;
  } catch {
    // There is no such client, and none can be made.
  }
}
