/**
 * The broker of a fleet: BullMQ, over Redis or PostgreSQL. Only this file, `ticket-worker.ts` and `postgres-backend.ts` import it.
 *
 * A ticket is a job without content, named by its three values, tried once, and removed when its handler has ended. BullMQ's retries,
 * events and schedulers are not used. A job whose worker died or froze loses its lock after `visibilityMs` and goes to another, any number
 * of times; the store knows whether there is still work.
 */
import { Queue } from 'bullmq';
import type { Clock } from '../../base/clock.ts';
import { BatutaError } from '../../base/errors.ts';
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
} from '../broker.ts';
import { BullmqConsumer } from './bullmq-consumer.ts';
import { backendOf, connectionOptions } from './ticket-worker.ts';
import {
  checkChannelName,
  checkConsume,
  checkMessage,
  checkPut,
  checkQueueName,
  checkTicket,
  highestPriority,
  ticketKey,
} from '../checks.ts';
import type { CheckedTicket } from '../checks.ts';
import type { Wire } from './wire.ts';

export interface BullmqBrokerOptions {
  readonly wire: Wire;
  readonly visibilityMs: number;
  /** See `BullmqConsumer`; default 20 s, twice BullMQ's longest wait. */
  readonly deafAfterMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onError: (error: unknown) => void;
}

/** Tickets per round trip; the event loop turns in between. */
const bulkSize = 1_000;
/** Events that BullMQ keeps per queue; none are read. */
const keptEvents = 10;

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
    const onClosed = (closed: BullmqConsumer): unknown => this.#consumers.delete(closed);
    const consumer = new BullmqConsumer({ ...this.#options, queues: list, concurrency, handler, onClosed });
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
      // Due, and not yet taken.
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
    return await this.#options.wire.answerOf(async () => {
      const queue = this.#queue(name);
      try {
        await queue.waitUntilReady();
      } catch (error) {
        // The connection was lost as BullMQ began, and the queue would repeat that error forever.
        if (this.#queues.get(name) === queue) this.#queues.delete(name);
        throw error;
      }
      return await ask(queue);
    });
  }

  /** Made only while connected: BullMQ lets a queue that cannot connect wait forever. */
  #queue(name: string): Queue<Ticket, void> {
    const known = this.#queues.get(name);
    if (known !== undefined) return known;
    const { wire } = this.#options;
    const options = { ...connectionOptions(wire, wire.connection), streams: { events: { maxLen: keptEvents } } };
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
        // Due at the sum of both, so both use one reading of the clock.
        timestamp: now,
        delay,
        // BullMQ serves low numbers first, and 0 before any other.
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
