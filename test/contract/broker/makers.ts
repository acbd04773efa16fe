/** The brokers that one suite runs over. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Broker, Consumer, Ticket } from '../../../src/broker/broker.ts';
import { openBroker } from '../../../src/broker/open.ts';
import type { OpenBrokerOptions } from '../../../src/broker/open.ts';
import { openStore } from '../../../src/store/open.ts';
import { createDatabase } from '../../support/postgres.ts';
import { someRedis } from '../../support/redis.ts';

/** A place with tickets of its own, and brokers over it. */
export interface Place {
  /** Brokers of one place stand for several processes. */
  open(options?: Omit<OpenBrokerOptions, 'url' | 'store'>): Promise<Broker>;
  /** What another process needs to open it. */
  readonly brokerUrl: string | null;
  readonly storeUrl: string;
  remove(): Promise<void>;
}

export interface Maker {
  readonly name: string;
  /** Whether several brokers share the place. */
  readonly shared: boolean;
  /** As many tickets as go through in a few seconds on a slow machine. */
  readonly many: number;
  makePlace(): Promise<Place>;
}

const memory = 'sqlite::memory:';

export const makers: readonly Maker[] = [
  {
    name: 'local (SQLite file)',
    shared: true,
    many: 10_000,
    async makePlace() {
      const folder = mkdtempSync(join(tmpdir(), 'batuta-broker-'));
      return place(null, `sqlite:${join(folder, 'batuta.db')}`, async () => rmSync(folder, { recursive: true, force: true }));
    },
  },
  { name: 'local (memory)', shared: false, many: 10_000, makePlace: async () => place(null, memory, async () => undefined) },
  {
    name: 'local (PostgreSQL)',
    shared: true,
    many: 10_000,
    async makePlace() {
      const database = await createDatabase();
      return place(null, database.url, () => database.drop());
    },
  },
  {
    name: 'BullMQ (Redis)',
    shared: true,
    many: 10_000,
    async makePlace() {
      const redis = await someRedis();
      return place(redis.url, memory, () => redis.stop());
    },
  },
  {
    name: 'BullMQ (PostgreSQL)',
    shared: true,
    many: 1_000,
    async makePlace() {
      const database = await createDatabase();
      return place(database.url, memory, () => database.drop());
    },
  },
];

/** Brokers over a URL, closed together with their stores. */
export function place(brokerUrl: string | null, storeUrl: string, remove: () => Promise<void>): Place {
  const closers: (() => Promise<void>)[] = [];
  return {
    brokerUrl,
    storeUrl,
    async open(options = {}) {
      const store = await openStore({ url: storeUrl });
      closers.unshift(() => store.close());
      const broker = await openBroker({ url: brokerUrl, store, ...options });
      closers.unshift(() => broker.close());
      return broker;
    },
    async remove() {
      for (const close of closers) await close();
      await remove();
    },
  };
}

/** `count` tickets that nobody else has. */
export function newTickets(count: number, epoch = 0): Ticket[] {
  return Array.from({ length: count }, () => ({ kind: 'run', id: randomUUID(), epoch }));
}

/** The queue that most tests use. */
export const queue = 'default';

export const idsOf = (tickets: readonly Ticket[]): string[] => tickets.map(({ id }) => id);

/** Takes the tickets of `queue` as fast as they come. */
export const consume = (broker: Broker, seen: Seen<Ticket>, concurrency = 5): Consumer =>
  broker.consume(queue, { concurrency }, async (ticket) => seen.add(ticket));

/** What has happened so far, and a promise for the moment at which something holds. */
export class Seen<T> {
  readonly all: T[] = [];
  readonly #waiting = new Set<() => void>();

  add(item: T): void {
    this.all.push(item);
    for (const check of [...this.#waiting]) check();
  }

  async until(holds: (all: readonly T[]) => boolean): Promise<readonly T[]> {
    await new Promise<void>((resolve) => {
      const check = (): void => {
        if (!holds(this.all)) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
      check();
    });
    return this.all;
  }

  async count(count: number): Promise<readonly T[]> {
    return await this.until((all) => all.length >= count);
  }
}

/** A promise that is settled from outside. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
