/**
 * A broker that keeps its word to the letter and not a bit more: it loses, repeats, delays and reorders tickets and messages.
 *
 * What happens to which ticket depends on the seed alone, as long as calls come in the same order.
 */
import type { Broker, NewTicket, PutOptions } from '../../src/broker/broker.ts';

export interface Faults {
  readonly seed: number;
  /** Shares of tickets and messages that are lost, and that come twice; 0 to 1. */
  readonly drop?: number;
  readonly repeat?: number;
  /** Share of tickets that come later, by up to `maxDelayMs` (default 50). */
  readonly delay?: number;
  readonly maxDelayMs?: number;
  /** Whether the tickets of one call come in another order. */
  readonly reorder?: boolean;
}

/** What has been done so far. */
export interface FaultCount {
  dropped: number;
  repeated: number;
  delayed: number;
}

/** Wraps a broker. `now` gives epoch ms; default the wall clock. */
export function makeFaulty(inner: Broker, faults: Faults, now: () => number = () => Date.now()): Broker & { readonly faults: FaultCount } {
  const { drop = 0, repeat = 0, delay = 0, maxDelayMs = 50, reorder = false } = faults;
  const random = seededRandom(faults.seed);
  const counts: FaultCount = { dropped: 0, repeated: 0, delayed: 0 };
  const happens = (share: number, kind: keyof FaultCount): boolean => {
    const does = random() < share;
    if (does) counts[kind] += 1;
    return does;
  };

  return {
    kind: inner.kind,
    url: inner.url,
    faults: counts,
    async put(tickets: NewTicket | readonly NewTicket[], options: PutOptions) {
      const list = (Array.isArray(tickets) ? tickets : [tickets]) as readonly NewTicket[];
      const kept = list.filter(() => !happens(drop, 'dropped'));
      const late = kept.map((ticket) =>
        happens(delay, 'delayed')
          ? { ...ticket, dueAt: Math.max(ticket.dueAt ?? options.dueAt ?? 0, now()) + random() * maxDelayMs }
          : ticket,
      );
      await inner.put(reorder ? shuffle(late, random) : late, options);
    },
    consume: (queues, options, handler) =>
      inner.consume(queues, options, async (ticket, delivery) => {
        // Once more beforehand, as after a lease of the broker that ran out.
        if (happens(repeat, 'repeated')) await handler(ticket, delivery);
        await handler(ticket, delivery);
      }),
    async notify(channel, message) {
      if (happens(drop, 'dropped')) return;
      if (happens(repeat, 'repeated')) await inner.notify(channel, message);
      await inner.notify(channel, message);
    },
    subscribe: (channel, listener) => inner.subscribe(channel, listener),
    stats: (queue) => inner.stats(queue),
    remove: (ticket, options) => inner.remove(ticket, options),
    health: () => inner.health(),
    close: () => inner.close(),
  };
}

/** The same numbers for the same seed, from 0 up to but not including 1. Source: mulberry32 by Tommy Ettinger, public domain. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function shuffle<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
