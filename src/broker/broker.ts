/**
 * Contract of a broker: it carries tickets to those who may work on them, and wakes those who wait.
 *
 * A ticket names a run or a task run and nothing else; the store holds what is to be done. Delivery is at least once while the broker keeps
 * its memory, so callers must expect a ticket twice, late, in another order, for something long finished, or (Redis flushed) never. The taker
 * claims the run or task run in the store, and drops the ticket when there is nothing to claim; schedulers put lost tickets again.
 *
 * Makers: `local/` (a table of the store), `bullmq/` (Redis, or PostgreSQL); opened by `open.ts`.
 */

/** What travels. Two tickets with the same three values are the same ticket. */
export interface Ticket {
  readonly kind: 'run' | 'task';
  /** Id of the run or task run: 1 to 100 letters, digits, `_`, `.` or `-`. */
  readonly id: string;
  /** Epoch of the run or task run when the ticket was put, so that a later attempt is another ticket. Whole, 0 or more. */
  readonly epoch: number;
}

/** Where and when tickets of one call go. */
export interface PutOptions {
  /** See `checkQueueName`. */
  readonly queue: string;
  /** UTC epoch ms before which nobody gets it (by the clock of the taker); default, null or past: at once. */
  readonly dueAt?: number | null;
  /** Whole number from -100 to 100, higher goes first; default 0. Equal ones go in the order of putting. */
  readonly priority?: number;
}

/** A ticket to put; its own fields override the options of the call. */
export interface NewTicket extends Ticket {
  readonly dueAt?: number | null;
  readonly priority?: number;
}

/** How a ticket arrived. */
export interface Delivery {
  readonly queue: string;
  readonly places: TicketPlaces;
  /** Has the ticket given back once its handler has ended, at the head of those of its priority, instead of being removed: another taker may have it. */
  giveBack(): void;
}

/** The places of its consumer that a ticket holds: one, which may become several. All are free again once its handler has ended, however it ends. */
export interface TicketPlaces {
  /** The concurrency of the consumer: the most there can be. */
  readonly total: number;
  /** Whether another ticket waits for several, so that one that asked now would stand behind it. */
  readonly areKept: boolean;
  /** Whether so many are to be had at once, its own among them. */
  areFree(count: number): boolean;
  /**
   * Waits until it has `count` places (whole, 1 to `total`), behind others that wait so. It holds none meanwhile, and the consumer takes no
   * new ticket, so that small ones cannot keep it waiting for ever. False: it has its one place again, for the consumer goes quiet, or `cancel` was called.
   *
   * @throws BatutaError INTERNAL (not such a number, or it holds several)
   */
  widen(count: number): Promise<boolean>;
  /** Waits no longer. */
  cancel(): void;
}

/**
 * Works on one ticket. The ticket counts as taken until the promise settles, however long that takes, and is gone then.
 *
 * A rejection (or throw) is reported to `onError` of the broker, and the ticket is gone all the same: whether the work is
 * tried again stands in the store.
 */
export type TicketHandler = (ticket: Ticket, delivery: Delivery) => Promise<unknown>;

export interface ConsumeOptions {
  /** Most handlers at work at the same time, over all queues of the consumer; whole, 1 or more. */
  readonly concurrency: number;
}

/** A consumer at work. */
export interface Consumer {
  /** Handlers at work now. */
  readonly running: number;
  /** Places that they hold: more where some hold several, fewer where one waits for several. */
  readonly placesUsed: number;
  /** Takes tickets of this queue as well, before those of the others and within the same places; nothing when it does already. @throws BatutaError NAME_INVALID */
  serveFirst(queue: string): void;
  /** Takes nothing new from now on; resolves at once, handlers at work go on. May be called twice. */
  quiet(): Promise<void>;
  /**
   * Goes quiet, waits for the handlers at work, and lets go of everything it held open. May be called twice.
   *
   * Handlers that have not settled after `deadlineMs` (default 30,000) are waited for no longer; their tickets are given
   * back when the broker is still reachable, else they come back after `visibilityMs`.
   *
   * @returns the tickets whose handlers were not waited for; empty when all ended.
   */
  close(options?: { readonly deadlineMs?: number }): Promise<readonly Ticket[]>;
}

/** Tickets of one queue, counted at one moment. */
export interface QueueStats {
  /** Due, and nobody has them. */
  readonly waiting: number;
  /** Not due yet. */
  readonly delayed: number;
  /** Taken by handlers, those of processes that died a moment ago included. */
  readonly taken: number;
}

/** How a broker is. */
export interface BrokerHealth {
  readonly ok: boolean;
  /** Time of one round trip, ms; null when there was no answer. */
  readonly latencyMs: number | null;
  /** Why it is not ok, one sentence; null when it is. */
  readonly problem: string | null;
}

/** Ends a subscription; harmless when called twice. */
export type Unsubscribe = () => void;

export interface Broker {
  readonly kind: 'local' | 'redis' | 'postgres';
  /** Where it is, without password. */
  readonly url: string;
  /**
   * Puts one ticket or many (10,000 and more in one call). A ticket that waits, is delayed or is being worked on already is
   * left as it is: its due time and priority do not change. Resolves once the broker has them all; when it rejects, some
   * may have been put, and putting all again is harmless.
   *
   * @throws BatutaError NAME_INVALID (queue), OPTION_INVALID (ticket, due time or priority), BROKER_UNAVAILABLE (within
   * seconds, never after waiting for an outage to end; the local broker throws STORE_… instead)
   */
  put(tickets: NewTicket | readonly NewTicket[], options: PutOptions): Promise<void>;
  /**
   * Takes tickets of one queue or several until it is closed; through outages as well, nothing need be made anew.
   *
   * With several queues, those named first are served first when a place becomes free. A ticket whose taker died comes
   * back after `visibilityMs` of the broker (default 15 s; BullMQ looks in intervals, so up to twice that).
   *
   * @throws BatutaError NAME_INVALID, OPTION_INVALID
   */
  consume(queues: string | readonly string[], options: ConsumeOptions, handler: TicketHandler): Consumer;
  /**
   * Sends a message to the subscribers of a channel, in this process and others. Best effort, never rejects for an outage: a message may be
   * lost or come twice, so every wait also polls.
   *
   * @param message at most 7,500 bytes of text; ids, not data
   * @throws BatutaError NAME_INVALID (channel: see `checkChannelName`), OPTION_INVALID (message)
   */
  notify(channel: string, message: string): Promise<void>;
  /**
   * Calls `listener` with each message of the channel from now on. Resolves once messages sent from then on arrive; during an
   * outage it resolves too, and messages arrive once that has ended. What a listener throws is reported to `onError`.
   *
   * @throws BatutaError NAME_INVALID
   */
  subscribe(channel: string, listener: (message: string) => void): Promise<Unsubscribe>;
  /** @throws BatutaError NAME_INVALID, BROKER_UNAVAILABLE, STORE_… */
  stats(queue: string): Promise<QueueStats>;
  /**
   * Takes a ticket out that nobody has taken. False when there is none, or it is being worked on.
   *
   * @throws BatutaError NAME_INVALID, BROKER_UNAVAILABLE, STORE_…
   */
  remove(ticket: Ticket, options: { readonly queue: string }): Promise<boolean>;
  /** Asks the broker for a sign of life, for at most 5 s; never rejects. */
  health(): Promise<BrokerHealth>;
  /** Closes its consumers (with their default deadline) and all connections; no handle stays open. May be called twice. */
  close(): Promise<void>;
}

/** Queue of what names none. */
export const defaultQueue = 'default';
