/**
 * Contract of a broker: it delivers tickets to workers, and wakes those waiting.
 *
 * A ticket names a run or task run and nothing else; the store holds what is to be done. Delivery is at least once while the broker keeps
 * its memory, so callers must expect a ticket twice, late, out of order, for something long finished, or (Redis flushed) never. The taker
 * claims the run or task run in the store, and drops the ticket if there is nothing to claim; schedulers put lost tickets again.
 *
 * Made by `local/` (a table of the store), `bullmq/` (Redis, or PostgreSQL); opened by `open.ts`.
 */

/** The message. Tickets with the same three values are the same ticket. */
export interface Ticket {
  readonly kind: 'run' | 'task';
  /** Id of the run or task run: 1 to 100 letters, digits, `_`, `.` or `-`. */
  readonly id: string;
  /** Epoch of the run or task run when put, so that a later attempt is another ticket. Whole, 0 or more. */
  readonly epoch: number;
}

/** Where and when a call's tickets go. */
export interface PutOptions {
  /** See `checkQueueName`. */
  readonly queue: string;
  /** UTC epoch ms before which nobody gets it (by the taker's clock); default, null or past: at once. */
  readonly dueAt?: number | null;
  /** Whole number from -100 to 100, higher goes first; default 0. Equal ones keep put order. */
  readonly priority?: number;
}

/** A ticket to put; its own fields override the options of the call. */
export interface NewTicket extends Ticket {
  readonly dueAt?: number | null;
  readonly priority?: number;
}

/** A ticket's delivery. */
export interface Delivery {
  readonly queue: string;
  readonly places: TicketPlaces;
  /** Returns the ticket once its handler has ended, at the head of its priority, instead of removing it: another taker may get it. */
  giveBack(): void;
}

/** A ticket's places of its consumer: one, possibly several later. All are freed once its handler has ended, in any way. */
export interface TicketPlaces {
  /** The concurrency of the consumer: the maximum. */
  readonly total: number;
  /** Whether another ticket waits for several, so that a request now would queue behind it. */
  readonly areKept: boolean;
  /** Whether `count` are available at once, including its own. */
  areFree(count: number): boolean;
  /**
   * Waits until it has `count` places (whole, 1 to `total`), behind earlier such waits. It holds none meanwhile, and the consumer takes no
   * new ticket, so that small ones cannot delay it forever. False: it has its one place again, as the consumer goes quiet, or `cancel` was
   * called.
   *
   * @throws BatutaError INTERNAL (invalid number, or it holds several)
   */
  widen(count: number): Promise<boolean>;
  /** Stops waiting. */
  cancel(): void;
}

/**
 * Works on one ticket. It counts as taken until the promise settles, however long that takes, and is then gone.
 *
 * A rejection (or throw) is reported to the broker's `onError`, and the ticket is still gone: whether the work is retried is up to the
 * store.
 */
export type TicketHandler = (ticket: Ticket, delivery: Delivery) => Promise<unknown>;

export interface ConsumeOptions {
  /** Most handlers running at the same time, over all queues of the consumer; whole, 1 or more. */
  readonly concurrency: number;
}

/** A running consumer. */
export interface Consumer {
  /** Handlers now running. */
  readonly running: number;
  /** Places that they hold: more if some hold several, fewer if one waits for several. */
  readonly placesUsed: number;
  /**
   * Also takes tickets of this queue, before those of the others and within the same places; no effect if it already does. @throws
   * BatutaError NAME_INVALID
   */
  serveFirst(queue: string): void;
  /** Takes nothing new from now on; resolves at once, handlers continue. May be called twice. */
  quiet(): Promise<void>;
  /**
   * Goes quiet, waits for running handlers, and releases everything it held open. May be called twice.
   *
   * Handlers not settled after `deadlineMs` (default 30,000) are abandoned; their tickets are given back if the broker is reachable, else
   * they come back after `visibilityMs`.
   *
   * @returns the tickets of abandoned handlers; empty if all ended
   */
  close(options?: { readonly deadlineMs?: number }): Promise<readonly Ticket[]>;
}

/** Tickets of one queue, counted at one moment. */
export interface QueueStats {
  /** Due and not taken. */
  readonly waiting: number;
  /** Not due yet. */
  readonly delayed: number;
  /** Taken by handlers, including those of processes that just died. */
  readonly taken: number;
}

/** Broker status. */
export interface BrokerHealth {
  readonly ok: boolean;
  /** Time of one round trip, ms; null without an answer. */
  readonly latencyMs: number | null;
  /** Why it is not ok, one sentence; null if it is. */
  readonly problem: string | null;
}

/** Ends a subscription; harmless when called twice. */
export type Unsubscribe = () => void;

export interface Broker {
  readonly kind: 'local' | 'redis' | 'postgres';
  /** Its address, without password. */
  readonly url: string;
  /**
   * Puts one or many tickets (10,000 and more in one call). A ticket already waiting, delayed or being worked on is unchanged, including
   * its due time and priority. Resolves once the broker has them all; if it rejects, some may have been put, and putting all again is
   * harmless.
   *
   * @throws BatutaError NAME_INVALID (queue), OPTION_INVALID (ticket, due time or priority), BROKER_UNAVAILABLE (within seconds, never
   * after waiting for an outage to end; the local broker throws STORE_… instead)
   */
  put(tickets: NewTicket | readonly NewTicket[], options: PutOptions): Promise<void>;
  /**
   * Takes tickets of one or several queues until closed; survives outages without being recreated.
   *
   * With several queues, earlier ones are served first when a place is free. A ticket whose taker died comes back after `visibilityMs` of
   * the broker (default 15 s; BullMQ checks in intervals, so up to twice that).
   *
   * @throws BatutaError NAME_INVALID, OPTION_INVALID
   */
  consume(queues: string | readonly string[], options: ConsumeOptions, handler: TicketHandler): Consumer;
  /**
   * Sends a message to the subscribers of a channel, in this process and others. Best effort, no outage makes it reject: a message may be
   * lost or come twice, so every wait also polls.
   *
   * @param message at most 7,500 bytes of text; ids, not data
   * @throws BatutaError NAME_INVALID (channel: see `checkChannelName`), OPTION_INVALID (message)
   */
  notify(channel: string, message: string): Promise<void>;
  /**
   * Calls `listener` with each message of the channel from now on. Resolves once messages sent from then on arrive; during an outage it
   * resolves too, and messages arrive once that has ended. Errors of a listener are reported to `onError`.
   *
   * @throws BatutaError NAME_INVALID
   */
  subscribe(channel: string, listener: (message: string) => void): Promise<Unsubscribe>;
  /** @throws BatutaError NAME_INVALID, BROKER_UNAVAILABLE, STORE_… */
  stats(queue: string): Promise<QueueStats>;
  /**
   * Removes a ticket that nobody has taken. False if there is none, or it is being worked on.
   *
   * @throws BatutaError NAME_INVALID, BROKER_UNAVAILABLE, STORE_…
   */
  remove(ticket: Ticket, options: { readonly queue: string }): Promise<boolean>;
  /** Pings the broker, for at most 5 s; never rejects. */
  health(): Promise<BrokerHealth>;
  /** Closes its consumers (with their default deadline) and all connections; no handle stays open. May be called twice. */
  close(): Promise<void>;
}

/** The default queue. */
export const defaultQueue = 'default';
