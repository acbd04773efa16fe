/**
 * What the local broker needs of the store that keeps its tickets. Declared here, since brokers and stores do not know each other.
 *
 * All instants are UTC epoch ms.
 */
import type { Ticket } from '../broker.ts';

/** A ticket in its queue. */
export interface QueuedTicket extends Ticket {
  readonly queue: string;
}

/** Tickets and messages; each call is atomic by itself. */
export interface TicketTable {
  /** Adds those that are not there yet. `dueAt` null: at once. */
  put(tickets: readonly (QueuedTicket & { readonly priority: number; readonly dueAt: number | null })[], now: number): Promise<void>;
  /** Takes due tickets, best first, and keeps them from others until `until`. */
  take(wish: {
    readonly queue: string;
    readonly limit: number;
    readonly now: number;
    readonly until: number;
    readonly holder: string;
  }): Promise<readonly QueuedTicket[]>;
  /** Keeps all tickets of a holder from others until `until`. */
  renew(holder: string, until: number): Promise<void>;
  /** Removes tickets that the holder still has. */
  finish(tickets: readonly QueuedTicket[], holder: string): Promise<void>;
  /** Lets others take them at once. */
  giveBack(tickets: readonly QueuedTicket[], holder: string): Promise<void>;
  /** Removes one that nobody has taken. */
  remove(ticket: QueuedTicket): Promise<boolean>;
  /** When the next ticket becomes due or its holder lapses; null when none will. */
  nextTurn(): Promise<number | null>;
  counts(queue: string, now: number): Promise<{ readonly waiting: number; readonly delayed: number; readonly taken: number }>;
  notify(notice: { readonly at: number; readonly writer: string; readonly channel: string; readonly message: string }): Promise<void>;
  /** Messages of other writers after a place, oldest first. */
  notices(after: number, writer: string): Promise<readonly { readonly seq: number; readonly channel: string; readonly message: string }[]>;
  lastNotice(): Promise<number>;
  forgetNotices(before: number): Promise<void>;
}

/** Where the table is. */
export interface TicketKeeper {
  /** Without password. */
  readonly url: string;
  readonly tickets: TicketTable;
  /** Changes when another connection has written; null when that is not known. Costs microseconds. */
  dataVersion(): number | null;
  /**
   * Calls `onWrite` a moment before a write of any process can be read, until the returned function is called; null, or missing, where
   * writes are not reported.
   */
  watchWrites?(onWrite: () => void): (() => void) | null;
}
