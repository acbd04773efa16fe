/**
 * Contract of the layer below BullMQ: its connections, and messages between processes. Makers: `redis-wire.ts`, `postgres-wire.ts`.
 *
 * What BullMQ gets as its connection depends on the maker, and is opaque to the rest.
 */
import type { Unsubscribe } from '../broker.ts';

export interface Wire {
  readonly kind: 'redis' | 'postgres';
  /** Without passwords. */
  readonly url: string;
  /** Beginning of all names; Redis only. */
  readonly prefix: string;
  /** Over which BullMQ puts and counts. */
  readonly connection: object;
  /** Over which one consumer takes tickets; `close` cuts it, also in an outage. @param isAnew whether the one before is taken for dead */
  openTaking(isAnew: boolean): { readonly connection: object; close(): void };
  /**
   * The answer to a question over `connection`, or why there is none, within seconds; at once while there is no connection.
   *
   * @throws BatutaError BROKER_UNAVAILABLE
   */
  answerOf<T>(ask: () => Promise<T>): Promise<T>;
  /** One round trip. */
  ping(): Promise<unknown>;
  /** Sends a message to other processes and this one. */
  send(channel: string, message: string): Promise<void>;
  /** Resolves once it is in force, or an outage keeps it from being so. */
  subscribe(channel: string, listener: (message: string) => void): Promise<Unsubscribe>;
  /** Reports what goes wrong below BullMQ: an outage once, a ticket that vanished not at all. */
  complain(error: unknown): void;
  close(): Promise<void>;
}

/** Whether BullMQ says that a ticket it removes or renews was flushed away or given to somebody else: nothing is wrong. */
export function isVanished(error: unknown): boolean {
  const text = error instanceof Error ? error.message : '';
  return /Missing (key|lock) for job|is not in the active state|Lock mismatch for job|could not renew lock/.test(text);
}
