/**
 * Decides who gets which place of their rates, and from when on. Pure.
 *
 * A rate has as many places as it allows starts. A place is free again one window after its start is known to have happened; the next start
 * in it gets that instant in advance. Starts that share a place are thus a window apart, and no window holds more than one of each.
 */
import type { RateWish } from './rate-contract.ts';

/** An available place. */
interface Place {
  /** The start that last had it; null: none. */
  readonly start: string | null;
  /** By when that had happened; null: it no longer counts. */
  readonly afterAt: number | null;
  /** When it becomes available. */
  readonly freeAt: number;
}

/** A waiter of a rate. */
export interface Waiting {
  readonly id: string;
  readonly priority: number;
  readonly since: number;
}

/** A rate as it stands when a decision is made. */
export interface RateState {
  readonly name: string;
  readonly limit: number;
  readonly perMs: number;
  /** How many starts are on record, including expired ones not yet cleared away. */
  readonly used: number;
  /** Starts whose places are free soonest, in that order. */
  readonly heads: readonly { readonly start: string; readonly at: number }[];
  /** Other waiters whose turn is near and who are expected to ask, in the order of turns. */
  readonly expected: readonly Waiting[];
  /** Other waiters that need places of several rates at a near instant, in the order of those instants. */
  readonly claims: readonly (Waiting & { readonly nextAt: number })[];
}

/** A wish with its place in the line of each of its rates. */
export interface Asking {
  readonly wish: RateWish;
  /** Since when it waits, by the name of the rate. */
  readonly since: ReadonlyMap<string, number>;
}

/** A place that a start was given. */
export interface Given {
  readonly start: string;
  readonly beginAt: number;
  readonly afterAt: number | null;
}

/** What is decided about a rate. */
export interface RateChange {
  readonly given: readonly Given[];
  /** Starts that no longer count, or whose places others have now. */
  readonly gone: readonly string[];
}

export interface Decision {
  /** From when on each wish may begin, if it may. */
  readonly beginAt: ReadonlyMap<RateWish, number>;
  /** For the others, the rate that has no place for it. */
  readonly lacking: ReadonlyMap<RateWish, string>;
  readonly changes: ReadonlyMap<string, RateChange>;
}

/** Most starts that a decision clears away, not counting reused places. */
const maxCleared = 1_000;

/** Higher priority first, then the longest waiting. */
export function compareTurns(a: Waiting, b: Waiting): number {
  return b.priority - a.priority || a.since - b.since || (a.id < b.id ? -1 : 1);
}

/**
 * Gives each of these its places, in the order of turns, if all of its rates have one soon enough. The earliest free places are left to
 * those of `expected` before it; each of `claims` before it keeps the place that will have been free for the shortest time at its instant:
 * otherwise a wish under two busy rates would find one of them full whenever the other has room.
 *
 * @param aheadMs how long before its time a place may be given; twice as long for wishes that need several, which would otherwise only ever
 * find taken places
 */
export function decide(asking: readonly Asking[], states: ReadonlyMap<string, RateState>, at: number, aheadMs: number): Decision {
  const rates = new Map([...states].map(([name, state]) => [name, new Places(state, at, asking.length)]));
  const beginAt = new Map<RateWish, number>();
  const lacking = new Map<RateWish, string>();
  for (const one of inOrder(asking)) {
    const { wish } = one;
    const own = wish.names.flatMap(({ name }) => rates.get(name) ?? []);
    const most = at + (own.length > 1 ? 2 * aheadMs : aheadMs);
    let from = at;
    let last: Places | null = null;
    for (const places of own) {
      const freeAt = places.nextFreeAt(waitingOf(one, places.name));
      if (last === null || freeAt > from) last = places;
      from = Math.max(from, freeAt);
    }
    if (last !== null && from > most) lacking.set(wish, last.name);
    else {
      for (const places of own) places.give(wish.start, from, waitingOf(one, places.name));
      beginAt.set(wish, from);
    }
  }
  return { beginAt, lacking, changes: new Map([...rates].map(([name, places]) => [name, places.change])) };
}

/** Its position in the line of a rate. */
export function waitingOf({ wish, since }: Asking, name: string): Waiting {
  return { id: wish.holder, priority: Math.round(wish.priority), since: since.get(name) ?? Number.MAX_SAFE_INTEGER };
}

/** By the first of their rates: nearly all wishes have only one. */
function inOrder(asking: readonly Asking[]): readonly Asking[] {
  return asking
    .map((one) => ({ one, turn: waitingOf(one, one.wish.names.find(({ name }) => one.since.has(name))?.name ?? '') }))
    .sort((a, b) => compareTurns(a.turn, b.turn))
    .map(({ one }) => one);
}

/** Places of a rate while they are given out. */
class Places {
  readonly name: string;
  readonly #expected: readonly Waiting[];
  readonly #claims: RateState['claims'];
  /** By when they become free. */
  readonly #free: Place[];
  readonly #given: Given[] = [];
  readonly #taken = new Set<string>();
  /** Starts that no longer count. */
  readonly #over: readonly string[];

  constructor({ name, limit, perMs, used, heads, expected, claims }: RateState, at: number, wanted: number) {
    this.name = name;
    this.#expected = expected;
    // One that begins now has left its place by then.
    this.#claims = claims.filter(({ nextAt }) => nextAt <= at + perMs);
    // The last millisecond of the window must be over.
    const all = heads.map((head): Place => {
      const freeAt = head.at + perMs + 1;
      return freeAt <= at ? { start: head.start, afterAt: null, freeAt: at } : { start: head.start, afterAt: head.at, freeAt };
    });
    const over = all.filter(({ afterAt }) => afterAt === null);
    this.#over = over.flatMap(({ start }) => start ?? []);
    const unused = Array.from(
      { length: Math.max(0, Math.min(limit - used, wanted + expected.length + claims.length)) },
      (): Place => ({ start: null, afterAt: null, freeAt: at }),
    );
    // After the rate was lowered, the surplus must expire before another begins; expired starts leave their places only then.
    const tooMany = Math.max(0, used - limit);
    this.#free = tooMany > 0 ? over.slice(tooMany) : [...all, ...unused].sort((a, b) => a.freeAt - b.freeAt);
  }

  /** From when on there is a place for it. */
  nextFreeAt(waiting: Waiting): number {
    return this.#leftFor(waiting)[0]?.freeAt ?? Number.POSITIVE_INFINITY;
  }

  /** Gives the place that will have been free for the shortest time. */
  give(start: string, beginAt: number, waiting: Waiting): void {
    const place = this.#leftFor(waiting).findLast(({ freeAt }) => freeAt <= beginAt);
    if (!place) return;
    this.#free.splice(this.#free.indexOf(place), 1);
    if (place.start !== null) this.#taken.add(place.start);
    this.#given.push({ start, beginAt, afterAt: place.afterAt });
  }

  get change(): RateChange {
    const over = this.#over.filter((start) => !this.#taken.has(start)).slice(0, maxCleared);
    return { given: this.#given, gone: [...this.#taken, ...over] };
  }

  /** Places not reserved for those before it. */
  #leftFor(waiting: Waiting): readonly Place[] {
    const left = this.#free.slice(this.#before(waiting));
    for (const claim of this.#claims) {
      if (compareTurns(claim, waiting) > 0) continue;
      const kept = left.findLastIndex(({ freeAt }) => freeAt <= claim.nextAt);
      if (kept >= 0) left.splice(kept, 1);
    }
    return left;
  }

  #before(waiting: Waiting): number {
    let [low, high] = [0, this.#expected.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareTurns(this.#expected[middle] as Waiting, waiting) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
