/**
 * The broker of a fleet: BullMQ, over Redis or PostgreSQL. The only file that imports it.
 *
 * A ticket is a job without content, named by its own three values, tried once, and removed when its handler has ended. What
 * BullMQ offers beyond that stays unused: no retries, no events, no schedulers of its own. A job whose worker died or froze
 * loses its lock after `visibilityMs` and is given to another as often as it takes; whether there is still something to do
 * for it stands in the store.
 */
import { createPostgresBackend, Queue, Worker } from 'bullmq';
import type { BackendFactory, ConnectionOptions, Job } from 'bullmq';
import type { Clock } from '../base/clock.ts';
import { BatutaError } from '../base/errors.ts';
import type {
  Broker,
  BrokerHealth,
  ConsumeOptions,
  Consumer,
  NewTicket,
  PutOptions,
  QueueStats,
  Ticket,
  TicketHandler,
  Unsubscribe,
} from './broker.ts';
import { BullmqConsumer } from './bullmq-consumer.ts';
import type { TakingWorker, WorkerPlan } from './bullmq-consumer.ts';
import {
  checkChannelName,
  checkConsume,
  checkMessage,
  checkPut,
  checkQueueName,
  checkTicket,
  highestPriority,
  ticketKey,
} from './checks.ts';
import type { CheckedTicket } from './checks.ts';
import { settledWithin } from './within.ts';
import type { Wire } from './wire.ts';

export interface BullmqBrokerOptions {
  readonly wire: Wire;
  readonly visibilityMs: number;
  /** See `BullmqConsumer`; default 20 s, twice as long as BullMQ ever waits. */
  readonly deafAfterMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onError: (error: unknown) => void;
}

/** Tickets in one round trip; the event loop gets its turn between two. */
const bulkSize = 1_000;
/** How long a worker waits to be woken before it looks by itself, s. */
const netSeconds = 1;
/** Wait after an error before BullMQ tries again, ms; its own 15 s would leave a worker deaf for as long. */
const retryDelayMs = 500;
/** Wait after the server has refused to hand out a ticket, ms, for BullMQ would ask again at once. */
const refusedMs = 200;
/** BullMQ fails a job that was lost more often than this; for us no loss counts. */
const maxStalledCount = 1_000_000;
/** Events that BullMQ keeps of a queue; nobody reads them. */
const keptEvents = 10;

const noJob = undefined as unknown as Job<Ticket, void>;
const backendOf = (wire: Wire): BackendFactory | undefined =>
  wire.kind === 'postgres' ? (createPostgresBackend as unknown as BackendFactory) : undefined;

export class BullmqBroker implements Broker {
  readonly kind: 'redis' | 'postgres';
  readonly url: string;
  readonly #options: BullmqBrokerOptions;
  readonly #queues = new Map<string, Queue<Ticket, void>>();
  readonly #consumers = new Set<BullmqConsumer>();
  #closed: Promise<void> | undefined;

  constructor(options: BullmqBrokerOptions) {
    this.#options = options;
    this.kind = options.wire.kind;
    this.url = options.wire.url;
  }

  async put(tickets: NewTicket | readonly NewTicket[], options: PutOptions): Promise<void> {
    const checked = checkPut(tickets, options);
    for (let from = 0; from < checked.length; from += bulkSize) {
      const jobs = checked.slice(from, from + bulkSize).map((ticket) => this.#jobOf(ticket));
      const [only, ...others] = jobs;
      await this.#ask(options.queue, async (queue) => {
        if (only !== undefined && others.length === 0) await queue.add(only.name, only.data, only.opts);
        else await queue.addBulk(jobs);
      });
    }
  }

  consume(queues: string | readonly string[], { concurrency }: ConsumeOptions, handler: TicketHandler): Consumer {
    const list = checkConsume(queues, { concurrency });
    this.#refuseClosed();
    const { wire, visibilityMs, clock, onError } = this.#options;
    const consumer = new BullmqConsumer({
      ...this.#options,
      queues: list,
      concurrency,
      handler,
      makeWorker: (plan) => new TicketWorker(plan, { wire, visibilityMs, clock }),
      onClosed: (closed) => this.#consumers.delete(closed),
      onError,
    });
    this.#consumers.add(consumer);
    return consumer;
  }

  async notify(channel: string, message: string): Promise<void> {
    checkChannelName(channel);
    checkMessage(message);
    const { wire } = this.#options;
    await wire.answerOf(() => wire.send(channel, message)).catch((error: unknown) => wire.complain(error));
  }

  async subscribe(channel: string, listener: (message: string) => void): Promise<Unsubscribe> {
    checkChannelName(channel);
    this.#refuseClosed();
    return await this.#options.wire.subscribe(channel, listener);
  }

  async stats(queue: string): Promise<QueueStats> {
    checkQueueName(queue);
    const [waiting = 0, prioritized = 0, active = 0, delayed = 0, due = 0] = await this.#ask(queue, async (own) => [
      ...(await own.getBackend().getCounts(['wait', 'prioritized', 'active', 'delayed'])),
      // Nobody has looked since they became due.
      ...(await own.getBackend().getCounts(['delayed'], this.#options.clock.now() + 1)),
    ]);
    return { waiting: waiting + prioritized + due, delayed: delayed - due, taken: active };
  }

  async remove(ticket: Ticket, { queue }: { readonly queue: string }): Promise<boolean> {
    checkQueueName(queue);
    checkTicket(ticket);
    return await this.#ask(queue, async (own) => {
      const state = await own.getJobState(ticketKey(ticket));
      return state !== 'unknown' && state !== 'active' && (await own.remove(ticketKey(ticket))) === 1;
    });
  }

  async health(): Promise<BrokerHealth> {
    const { clock, wire } = this.#options;
    const startedAt = clock.monotonic();
    try {
      this.#refuseClosed();
      await wire.answerOf(() => wire.ping());
      return { ok: true, latencyMs: clock.monotonic() - startedAt, problem: null };
    } catch (error) {
      return { ok: false, latencyMs: null, problem: error instanceof Error ? error.message : String(error) };
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #ask<T>(name: string, ask: (queue: Queue<Ticket, void>) => Promise<T>): Promise<T> {
    this.#refuseClosed();
    return await this.#options.wire.answerOf(() => ask(this.#queue(name)));
  }

  /** Made only while there is a connection: BullMQ lets a queue that cannot connect wait for ever. */
  #queue(name: string): Queue<Ticket, void> {
    const known = this.#queues.get(name);
    if (known !== undefined) return known;
    const { wire } = this.#options;
    const options = { connection: wire.connection as ConnectionOptions, prefix: wire.prefix, streams: { events: { maxLen: keptEvents } } };
    const queue = new Queue<Ticket, void>(name, options, backendOf(wire) as undefined);
    queue.on('error', (error) => wire.complain(error));
    this.#queues.set(name, queue);
    return queue;
  }

  #jobOf({ kind, id, epoch, dueAt, priority }: CheckedTicket): { name: string; data: Ticket; opts: object } {
    const now = this.#options.clock.now();
    const delay = dueAt === null ? 0 : Math.max(0, dueAt - now);
    return {
      name: kind,
      data: { kind, id, epoch },
      opts: {
        jobId: ticketKey({ kind, id, epoch }),
        attempts: 1,
        removeOnComplete: true,
        removeOnFail: true,
        // Due at the sum of both, so both come from one look at the clock.
        timestamp: now,
        delay,
        // BullMQ serves low numbers first, and 0 before all that have one.
        priority: highestPriority - priority + 1,
      },
    };
  }

  async #end(): Promise<void> {
    await Promise.all([...this.#consumers].map((consumer) => consumer.close()));
    const { wire } = this.#options;
    await Promise.all([...this.#queues.values()].map((queue) => queue.close().catch((error: unknown) => wire.complain(error))));
    await wire.close();
  }

  #refuseClosed(): void {
    if (this.#closed === undefined) return;
    throw new BatutaError('BROKER_UNAVAILABLE', 'This broker was closed; open another.', { details: { broker: this.url } });
  }
}

/** A BullMQ worker that asks for a place before it asks for a ticket. */
class TicketWorker extends Worker<Ticket, void> implements TakingWorker {
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
      connection: plan.connection as ConnectionOptions,
      prefix: wire.prefix,
      concurrency: plan.concurrency,
      // Begins once this class is whole.
      autorun: false,
      drainDelay: netSeconds,
      lockDuration: visibilityMs,
      stalledInterval: Math.max(100, Math.floor(visibilityMs / 3)),
      maxStalledCount,
      runRetryDelay: retryDelayMs,
    };
    super(plan.queue, work, options, backendOf(wire) as undefined);
    this.#plan = plan;
    this.#clock = clock;
    this.lookedAt = clock.monotonic();
    this.on('error', (error) => wire.complain(error));
    this.#waitInOwnWay();
    this.run().catch((error: unknown) => wire.complain(error));
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
    const { places, rank } = this.#plan;
    const backend = this.getBackend();
    const ask = backend.waitForJob.bind(backend);
    let asked: ReturnType<typeof ask> | undefined;
    backend.waitForJob = async (seconds) => {
      this.lookedAt = this.#clock.monotonic();
      if (places.free === 0) {
        // What BullMQ does next is to ask for a ticket.
        this.parked = true;
        this.#reserved = await places.take(rank).granted;
        this.parked = false;
        return null;
      }
      asked ??= ask(Math.max(seconds, netSeconds));
      if (!(await settledWithin(this.#clock, seconds * 1_000, asked))) return null;
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
    this.lookedAt = this.#clock.monotonic();
    let job: Job<Ticket, void> = noJob;
    try {
      job = await super.moveToActive(token, name);
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
