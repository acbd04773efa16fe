/**
 * What the local broker needs from the store of its tickets. Declared here, as brokers and stores do not know each other.
 *
 * All instants are UTC epoch ms.
 */
import type { Ticket } from '../broker.ts';

/** A ticket in its queue. */
export interface QueuedTicket extends Ticket {
  readonly queue: string;
}

/** Tickets and messages; each call is atomic. */
export interface TicketTable {
  /** Adds new ones. `dueAt` null: at once. */
  put(tickets: readonly (QueuedTicket & { readonly priority: number; readonly dueAt: number | null })[], now: number): Promise<void>;
  /** Takes due tickets, best first, and reserves them until `until`. */
  take(wish: {
    readonly queue: string;
    readonly limit: number;
    readonly now: number;
    readonly until: number;
    readonly holder: string;
  }): Promise<readonly QueuedTicket[]>;
  /** Reserves all tickets of a holder until `until`. */
  renew(holder: string, until: number): Promise<void>;
  /** Removes tickets that the holder still has. */
  finish(tickets: readonly QueuedTicket[], holder: string): Promise<void>;
  /** Makes them available at once. */
  giveBack(tickets: readonly QueuedTicket[], holder: string): Promise<void>;
  /** Removes one that nobody has taken. */
  remove(ticket: QueuedTicket): Promise<boolean>;
  /** When the next ticket becomes due or lapses; null if none will. */
  nextTurn(): Promise<number | null>;
  counts(queue: string, now: number): Promise<{ readonly waiting: number; readonly delayed: number; readonly taken: number }>;
  notify(notice: { readonly at: number; readonly writer: string; readonly channel: string; readonly message: string }): Promise<void>;
  /** Others' messages after a number, oldest first. */
  notices(after: number, writer: string): Promise<readonly { readonly seq: number; readonly channel: string; readonly message: string }[]>;
  lastNotice(): Promise<number>;
  forgetNotices(before: number): Promise<void>;
}

/** Where the table is. */
export interface TicketKeeper {
  /** Without password. */
  readonly url: string;
  readonly tickets: TicketTable;
  /** Changes when another connection has written; null if unknown. Costs microseconds. */
  dataVersion(): number | null;
  /**
   * Calls `onWrite` just before a write of any process can be read, until the returned function is called; null, or missing, if writes are
   * not reported.
   */
  watchWrites?(onWrite: () => void): (() => void) | null;
}
