/**
 * Contract of the layer below BullMQ: its connections, and messages between processes. See `redis-wire.ts`, `postgres-wire.ts`.
 *
 * BullMQ's connection depends on the maker, and is opaque to the rest.
 */
import type { Unsubscribe } from '../broker.ts';

export interface Wire {
  readonly kind: 'redis' | 'postgres';
  /** Without passwords. */
  readonly url: string;
  /** Prefix of all names; Redis only. */
  readonly prefix: string;
  /** Where BullMQ puts and counts. */
  readonly connection: object;
  /** Used by one consumer to take tickets; `close` cuts it, also in an outage. @param isAnew whether the previous one is presumed dead */
  openTaking(isAnew: boolean): { readonly connection: object; close(): void };
  /**
   * The answer to a query over `connection`, or why there is none, within seconds; at once without a connection.
   *
   * @throws BatutaError BROKER_UNAVAILABLE
   */
  answerOf<T>(ask: () => Promise<T>): Promise<T>;
  /** One round trip. */
  ping(): Promise<unknown>;
  /** Sends a message to other processes and this one. */
  send(channel: string, message: string): Promise<void>;
  /** Resolves once it is in force, or an outage prevents that. */
  subscribe(channel: string, listener: (message: string) => void): Promise<Unsubscribe>;
  /** Reports failures below BullMQ: an outage once, a vanished ticket never. */
  complain(error: unknown): void;
  close(): Promise<void>;
}

/** Whether BullMQ reports that a ticket it removes or renews was flushed or given to someone else: not a fault. */
export function isVanished(error: unknown): boolean {
  const text = error instanceof Error ? error.message : '';
  return /Missing (key|lock) for job|is not in the active state|Lock mismatch for job|could not renew lock/.test(text);
}
