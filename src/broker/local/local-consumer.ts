/**
 * A consumer of the local broker: takes as many tickets as it has free places, and removes each once its handler has ended.
 *
 * Polling → starting handlers → resting until woken. After a crash, tickets lapse after `visibilityMs`, and others get them. Handlers that
 * end in one turn of the loop have their tickets removed by one statement.
 */
import { settledWithin } from '../../base/clock.ts';
import type { Clock } from '../../base/clock.ts';
import type { Consumer, Ticket, TicketHandler } from '../broker.ts';
import { checkQueueName } from '../checks.ts';
import { type HeldPlaces, Places } from '../places.ts';
import type { QueuedTicket, TicketTable } from './ticket-table.ts';

const defaultDeadlineMs = 30_000;

export interface LocalConsumerOptions {
  readonly queues: readonly string[];
  readonly concurrency: number;
  readonly handler: TicketHandler;
  readonly tickets: TicketTable;
  /** Name under which tickets are taken. */
  readonly holder: string;
  readonly visibilityMs: number;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
  /** Called after each poll, when the next due time can be read. */
  readonly onLooked: () => void;
  readonly onClosed: (consumer: LocalConsumer) => void;
}

export class LocalConsumer implements Consumer {
  readonly #options: LocalConsumerOptions;
  #queues: readonly string[];
  readonly #places: Places;
  readonly #working = new Map<QueuedTicket, HeldPlaces>();
  #ended: QueuedTicket[] = [];
  #givenBack: QueuedTicket[] = [];
  #looking: Promise<void> | undefined;
  #again = false;
  #closed: Promise<readonly Ticket[]> | undefined;

  constructor(options: LocalConsumerOptions) {
    this.#options = options;
    this.#queues = options.queues;
    this.#places = new Places(options.concurrency);
  }

  get running(): number {
    return this.#working.size;
  }

  get placesUsed(): number {
    let sum = 0;
    for (const { count } of this.#working.values()) sum += count;
    return sum;
  }

  /** Whether it could take a ticket now. */
  get hungry(): boolean {
    return this.#places.free > 0;
  }

  /** Polls for tickets, now or right after the current poll. */
  wake(): void {
    this.#again = true;
    this.#looking ??= this.#lookUntilDone();
  }

  serveFirst(queue: string): void {
    checkQueueName(queue);
    if (this.#queues.includes(queue)) return;
    this.#queues = [queue, ...this.#queues];
    this.wake();
  }

  async quiet(): Promise<void> {
    this.#places.close();
    await this.#looking;
  }

  close({ deadlineMs = defaultDeadlineMs }: { readonly deadlineMs?: number } = {}): Promise<readonly Ticket[]> {
    this.#closed ??= this.#end(deadlineMs);
    return this.#closed;
  }

  async #lookUntilDone(): Promise<void> {
    // Handlers ending in the same turn are processed together.
    await Promise.resolve();
    while (this.#again) {
      this.#again = false;
      try {
        await this.#settleEnded();
        for (const queue of this.#queues) await this.#takeFrom(queue);
      } catch (error) {
        // The poll of the next second retries.
        this.#options.onError(error);
      }
    }
    this.#looking = undefined;
    this.#options.onLooked();
  }

  async #takeFrom(queue: string): Promise<void> {
    const { tickets, holder, clock, visibilityMs } = this.#options;
    // Taken in advance: a running ticket may ask for more of them meanwhile.
    for (let limit = this.#places.takeFree(); limit > 0; limit = this.#places.takeFree()) {
      const now = clock.now();
      let taken: readonly QueuedTicket[] = [];
      try {
        taken = await tickets.take({ queue, limit, now, until: now + visibilityMs, holder });
      } finally {
        this.#places.release(limit - taken.length);
      }
      if (this.#places.closed && taken.length > 0) {
        this.#places.release(taken.length);
        return await tickets.giveBack(taken, holder);
      }
      for (const ticket of taken) void this.#work(ticket);
      if (taken.length < limit) return;
    }
  }

  async #work(ticket: QueuedTicket): Promise<void> {
    const places = this.#places.hold();
    this.#working.set(ticket, places);
    const { queue, ...bare } = ticket;
    let isGivenBack = false;
    try {
      await this.#options.handler(bare, { queue, places, giveBack: () => (isGivenBack = true) });
    } catch (error) {
      this.#options.onError(error);
    }
    const ending = places.end();
    if (ending !== null) await ending;
    if (this.#working.delete(ticket)) (isGivenBack ? this.#givenBack : this.#ended).push(ticket);
    this.#places.release();
    this.wake();
  }

  async #settleEnded(): Promise<void> {
    const { tickets, holder } = this.#options;
    const [ended, givenBack] = [this.#ended, this.#givenBack];
    [this.#ended, this.#givenBack] = [[], []];
    if (ended.length > 0) await tickets.finish(ended, holder);
    if (givenBack.length > 0) await tickets.giveBack(givenBack, holder);
  }

  async #end(deadlineMs: number): Promise<readonly Ticket[]> {
    await this.quiet();
    const { clock, tickets, holder, onError, onClosed } = this.#options;
    await settledWithin(clock, deadlineMs, this.#places.whenEmpty());
    const left = [...this.#working.keys()];
    this.#working.clear();
    try {
      if (left.length > 0) await tickets.giveBack(left, holder);
      await this.#looking;
      await this.#settleEnded();
    } catch (error) {
      onError(error);
    }
    onClosed(this);
    return left.map(({ kind, id, epoch }) => ({ kind, id, epoch }));
  }
}
