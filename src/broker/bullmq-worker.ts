/**
 * A BullMQ worker that takes tickets of one queue into the places of its consumer.
 *
 * BullMQ's own loop is kept; what is changed is when it asks, by what it lets a subclass say.
 */
import { PostgresConnection, PostgresQueueBackend, Worker } from 'bullmq';
import type { BackendFactory, ConnectionOptions, Job, PostgresConnectionOptions } from 'bullmq';
import type { Clock } from '../base/clock.ts';
import type { Ticket } from './broker.ts';
import type { TakingWorker, WorkerPlan } from './bullmq-consumer.ts';
import { settledWithin } from './within.ts';
import type { Wire } from './wire.ts';

/** How long one question for the next wake-up stands, s; it outlives several looks. */
const blockSeconds = 10;
/** Wait after an error before BullMQ tries again, ms; its own 15 s would leave a worker deaf for as long. */
const retryDelayMs = 500;
/** Wait after the server has refused to hand out a ticket, ms, for BullMQ would ask again at once. */
const refusedMs = 200;
/** BullMQ fails a job that was lost more often than this; for us no loss counts. */
const maxStalledCount = 1_000_000;

const noJob = undefined as unknown as Job<Ticket, void>;

/**
 * The connection on which BullMQ listens, without two of its faults. A worker that is closed while it begins would have it listen after
 * all, on a connection that nobody ends. And one that is closed takes no notice of errors any more, so that a server which shuts down in
 * that moment would end the process.
 */
class ListeningConnection extends PostgresConnection {
  readonly #heard = new WeakSet<object>();

  override async getListenClient(): ReturnType<PostgresConnection['getListenClient']> {
    if (this.isClosing !== undefined) throw new Error('The connection was closed.');
    const client = await super.getListenClient();
    if (this.#heard.has(client)) return client;
    this.#heard.add(client);
    const removeListeners = client.removeAllListeners.bind(client);
    client.removeAllListeners = (event) => {
      removeListeners(event);
      if (event === undefined) client.on('error', () => undefined);
      return client;
    };
    return client;
  }
}

/** As `createPostgresBackend` of BullMQ makes it, over a connection of our own. */
const postgresBackend: BackendFactory<PostgresQueueBackend, PostgresConnectionOptions> = (name, options, { withBlockingConnection } = {}) =>
  new PostgresQueueBackend(new ListeningConnection(options.connection), name, options, true, withBlockingConnection ? name : undefined);

/** What BullMQ stores by; undefined is Redis, its default. */
export const backendOf = (wire: Wire): BackendFactory | undefined =>
  wire.kind === 'postgres' ? (postgresBackend as unknown as BackendFactory) : undefined;

/** How BullMQ reaches its tickets. It looks at no server itself: it would print what it finds, and the wire has looked already. */
export const connectionOptions = (
  { prefix }: Wire,
  connection: object,
): { readonly connection: ConnectionOptions; readonly prefix: string; readonly skipVersionCheck: true } => ({
  connection,
  prefix,
  skipVersionCheck: true,
});

/** A BullMQ worker that asks for a place before it asks for a ticket. */
export class TicketWorker extends Worker<Ticket, void> implements TakingWorker {
  lookedAt: number;
  parked = false;
  readonly #plan: WorkerPlan;
  readonly #clock: Clock;
  readonly #atWork = new Map<string, string>();
  /** Tickets that BullMQ has fetched and not begun to work on. */
  readonly #handedOn = new Set<Job<Ticket, void>>();
  /** Whether a place was taken for the next ticket already. */
  #reserved = false;
  #interrupt: (() => void) | undefined;

  constructor(
    plan: WorkerPlan,
    { wire, visibilityMs, clock }: { readonly wire: Wire; readonly visibilityMs: number; readonly clock: Clock },
  ) {
    const work = async (job: Job<Ticket, void>, token?: string): Promise<void> => {
      const id = job.id ?? '';
      this.#atWork.set(id, token ?? '');
      await plan.work(job.data);
      this.#atWork.delete(id);
    };
    const options = {
      ...connectionOptions(wire, plan.connection),
      concurrency: plan.concurrency,
      // Begins once this class is whole.
      autorun: false,
      drainDelay: plan.lookEveryMs / 1_000,
      lockDuration: visibilityMs,
      stalledInterval: Math.max(100, Math.floor(visibilityMs / 3)),
      maxStalledCount,
      runRetryDelay: retryDelayMs,
    };
    super(plan.queue, work, options, backendOf(wire) as undefined);
    this.#plan = plan;
    this.#clock = clock;
    this.lookedAt = clock.monotonic();
    // What a start still asks for while it is being ended is refused.
    const complain = (error: unknown): void => {
      if (this.closing === undefined) wire.complain(error);
    };
    this.on('error', complain);
    this.#waitInOwnWay();
    this.run().catch(complain);
  }

  get looping(): boolean {
    return this.isRunning();
  }

  stopTaking(): void {
    this.paused = true;
    this.getBackend()
      .disconnectBlocking(false)
      .catch(() => undefined);
  }

  async giveBack(): Promise<void> {
    for (const [id, token] of this.#atWork) await this.getBackend().moveJobFromActiveToWait(id, token);
  }

  async end(): Promise<void> {
    await this.close(true).catch(() => undefined);
  }

  /**
   * Two things are done otherwise than BullMQ does them. While all places are taken it is not listened for tickets, so that
   * the wake-up goes to somebody who has one. And a wait ends by our own timer: Redis notices only ten times a second that
   * a wait is over. What was asked then goes on, and its answer is for the next wait.
   */
  #waitInOwnWay(): void {
    const { places, rank, lookEveryMs } = this.#plan;
    const backend = this.getBackend();
    const ask = backend.waitForJob.bind(backend);
    let asked: ReturnType<typeof ask> | undefined;
    backend.waitForJob = async (seconds) => {
      if (places.free === 0) {
        // What BullMQ does next is to ask for a ticket.
        this.parked = true;
        this.#reserved = await places.take(rank).granted;
        this.parked = false;
        return null;
      }
      asked ??= ask(blockSeconds);
      if (!(await settledWithin(this.#clock, Math.min(seconds * 1_000, lookEveryMs), asked))) return null;
      const answer = asked;
      asked = undefined;
      return await answer;
    };
  }

  /**
   * BullMQ waits here before it begins with tickets it has fetched already, so while there are such, and once one comes, it
   * is sent on without; else workers could hold all places with tickets they do not get to.
   */
  async #hasPlace(): Promise<boolean> {
    const { places, rank } = this.#plan;
    if (this.#reserved) {
      this.#reserved = false;
      return true;
    }
    if (places.tryTake()) return true;
    if (this.#handedOn.size > 0) return false;
    const wish = places.take(rank);
    const interrupted = new Promise<false>((resolve) => {
      this.#interrupt = () => resolve(false);
    });
    this.parked = true;
    const granted = await Promise.race([wish.granted, interrupted]);
    this.parked = false;
    if (!granted) wish.cancel();
    return granted;
  }

  protected override async moveToActive(token: string, name?: string): Promise<Job<Ticket, void>> {
    if (!(await this.#hasPlace())) return await this.nextJobFromJobData();
    let job: Job<Ticket, void> = noJob;
    try {
      job = await super.moveToActive(token, name);
      this.lookedAt = this.#clock.monotonic();
    } catch (error) {
      await this.#clock.sleep(refusedMs);
      throw error;
    } finally {
      if (job === undefined) this.#plan.places.release();
      else this.#handedOn.add(job);
    }
    return job;
  }

  /** The place goes with the ticket that BullMQ hands on, unless a queue that is served before this one waits for it. */
  override async processJob(
    job: Job<Ticket, void>,
    token: string,
    fetchNext: () => boolean = () => true,
  ): Promise<void | Job<Ticket, void>> {
    const { places, rank } = this.#plan;
    this.#handedOn.delete(job);
    let next: void | Job<Ticket, void> = undefined;
    try {
      next = await super.processJob(job, token, () => fetchNext() && !places.closed && !places.isWantedBefore(rank));
    } finally {
      if (next === undefined) places.release();
    }
    this.lookedAt = this.#clock.monotonic();
    if (next !== undefined) {
      this.#handedOn.add(next);
      this.#interrupt?.();
    }
    return next;
  }
}
