/**
 * The broker without a service: tickets are rows of a table shared by all processes of a machine.
 *
 * Tickets of this process wake its consumers at once. Others are noticed by `foreign-writes.ts`, within milliseconds if the file system
 * reports writes, else within 40. A timer waits for the next due ticket, and a poll every second backs all this up. Tickets in progress are
 * renewed; those of a process that died or froze lapse after `visibilityMs` and go to others.
 */
import type { Clock, Timer } from '../../base/clock.ts';
import { BatutaError } from '../../base/errors.ts';
import { makeId } from '../../base/id.ts';
import { makeLoop } from '../../base/loop.ts';
import type { Loop } from '../../base/loop.ts';
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
import { checkChannelName, checkConsume, checkMessage, checkPut, checkQueueName, checkTicket } from '../checks.ts';
import { ForeignWrites } from './foreign-writes.ts';
import { Listeners } from '../listeners.ts';
import { LocalConsumer } from './local-consumer.ts';
import type { TicketKeeper } from './ticket-table.ts';

export interface LocalBrokerOptions {
  readonly keeper: TicketKeeper;
  readonly visibilityMs: number;
  readonly clock: Clock;
  /** From 0 to below 1; spreads the polls of many processes. */
  readonly random: () => number;
  readonly onError: (error: unknown) => void;
}

/** How often to poll in any case, ms. */
const netMs = 1_000;
/** How long messages are kept for others to read, ms. */
const noticeKeptMs = 60_000;

export class LocalBroker implements Broker {
  readonly kind = 'local';
  readonly url: string;
  readonly #options: LocalBrokerOptions;
  /** This broker's name as ticket holder and message writer. */
  readonly #name = makeId();
  readonly #consumers = new Set<LocalConsumer>();
  readonly #listeners: Listeners;
  readonly #foreign: ForeignWrites;
  readonly #loops: readonly Loop[];
  #cursor: Promise<number> | undefined;
  #dueTimer: Timer | undefined;
  #dueAt = Infinity;
  #closed: Promise<void> | undefined;

  constructor(options: LocalBrokerOptions) {
    this.#options = options;
    this.url = options.keeper.url;
    this.#listeners = new Listeners(options.onError);
    const { keeper, clock, random, onError } = options;
    this.#foreign = new ForeignWrites({ keeper, clock, random, onError, onChange: () => this.#attend() });
    this.#loops = [
      this.#loop('local broker: look', netMs, () => this.#look()),
      this.#loop('local broker: renew', options.visibilityMs / 3, () => this.#renew()),
    ];
  }

  async put(tickets: NewTicket | readonly NewTicket[], options: PutOptions): Promise<void> {
    const checked = checkPut(tickets, options);
    this.#refuseClosed();
    if (checked.length === 0) return;
    const now = this.#options.clock.now();
    await this.#options.keeper.tickets.put(
      checked.map((ticket) => ({ ...ticket, queue: options.queue })),
      now,
    );
    for (const consumer of this.#consumers) consumer.wake();
  }

  consume(queues: string | readonly string[], options: ConsumeOptions, handler: TicketHandler): Consumer {
    const list = checkConsume(queues, options);
    this.#refuseClosed();
    const { keeper, visibilityMs, clock, onError } = this.#options;
    const consumer = new LocalConsumer({
      queues: list,
      concurrency: options.concurrency,
      handler,
      tickets: keeper.tickets,
      holder: this.#name,
      visibilityMs,
      clock,
      onError,
      onLooked: () => void this.#arm().catch(onError),
      onClosed: (closed) => this.#consumers.delete(closed),
    });
    this.#consumers.add(consumer);
    this.#start();
    consumer.wake();
    return consumer;
  }

  async notify(channel: string, message: string): Promise<void> {
    checkChannelName(channel);
    checkMessage(message);
    this.#listeners.tell(channel, message);
    try {
      await this.#options.keeper.tickets.notify({ at: this.#options.clock.now(), writer: this.#name, channel, message });
    } catch (error) {
      this.#options.onError(error);
    }
  }

  async subscribe(channel: string, listener: (message: string) => void): Promise<Unsubscribe> {
    checkChannelName(channel);
    this.#refuseClosed();
    const unsubscribe = this.#listeners.add(channel, listener);
    this.#cursor ??= this.#options.keeper.tickets.lastNotice();
    await this.#cursor.catch((error: unknown) => {
      this.#cursor = Promise.resolve(0);
      this.#options.onError(error);
    });
    this.#start();
    return unsubscribe;
  }

  async stats(queue: string): Promise<QueueStats> {
    checkQueueName(queue);
    return await this.#options.keeper.tickets.counts(queue, this.#options.clock.now());
  }

  async remove({ kind, id, epoch }: Ticket, { queue }: { readonly queue: string }): Promise<boolean> {
    checkQueueName(queue);
    checkTicket({ kind, id, epoch });
    return await this.#options.keeper.tickets.remove({ queue, kind, id, epoch });
  }

  async health(): Promise<BrokerHealth> {
    const { clock, keeper } = this.#options;
    const startedAt = clock.monotonic();
    try {
      this.#refuseClosed();
      await keeper.tickets.nextTurn();
      return { ok: true, latencyMs: clock.monotonic() - startedAt, problem: null };
    } catch (error) {
      return { ok: false, latencyMs: null, problem: error instanceof Error ? error.message : String(error) };
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  #start(): void {
    this.#foreign.start();
    for (const loop of this.#loops) loop.start().catch(this.#options.onError);
  }

  async #look(): Promise<void> {
    this.#foreign.checkReports();
    await this.#attend();
  }

  async #attend(): Promise<void> {
    for (const consumer of this.#consumers) consumer.wake();
    await this.#readNotices();
  }

  async #readNotices(): Promise<void> {
    if (this.#listeners.empty || this.#cursor === undefined) return;
    const reading = this.#cursor.then(async (after) => {
      const notices = await this.#options.keeper.tickets.notices(after, this.#name);
      for (const { channel, message } of notices) this.#listeners.tell(channel, message);
      return notices.at(-1)?.seq ?? after;
    });
    const before = this.#cursor;
    // One reader at a time; a failed read is repeated from where it began.
    this.#cursor = reading.catch(() => before);
    await reading;
  }

  /** Sets the timer for the next ticket that becomes due or lapses, if anybody could take it. */
  async #arm(): Promise<void> {
    if (this.#closed !== undefined || ![...this.#consumers].some((consumer) => consumer.hungry)) return;
    const dueAt = (await this.#options.keeper.tickets.nextTurn()) ?? Infinity;
    if (dueAt === this.#dueAt && this.#dueTimer !== undefined) return;
    this.#dueTimer?.cancel();
    this.#dueTimer = undefined;
    this.#dueAt = dueAt;
    if (dueAt === Infinity || this.#closed !== undefined) return;
    this.#dueTimer = this.#options.clock.setTimer(
      Math.max(1, dueAt - this.#options.clock.now()),
      () => {
        this.#dueTimer = undefined;
        for (const consumer of this.#consumers) consumer.wake();
      },
      { unref: true },
    );
  }

  async #renew(): Promise<void> {
    const { clock, keeper, visibilityMs } = this.#options;
    const now = clock.now();
    if ([...this.#consumers].some(({ running }) => running > 0)) await keeper.tickets.renew(this.#name, now + visibilityMs);
    await keeper.tickets.forgetNotices(now - noticeKeptMs);
  }

  async #end(): Promise<void> {
    await Promise.all([...this.#consumers].map((consumer) => consumer.close()));
    this.#dueTimer?.cancel();
    this.#listeners.clear();
    await this.#foreign.stop();
    for (const loop of this.#loops) await loop.stop();
    await this.#cursor?.catch(() => undefined);
  }

  #refuseClosed(): void {
    if (this.#closed === undefined) return;
    throw new BatutaError('BROKER_UNAVAILABLE', 'This broker was closed; open another.', { details: { broker: this.url } });
  }

  #loop(name: string, intervalMs: number, step: () => Promise<void>): Loop {
    const { clock, random, onError } = this.#options;
    return makeLoop({ name, intervalMs, maxBackoffMs: netMs, step, onError, clock, random, immediate: false });
  }
}
