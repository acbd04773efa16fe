/** Chance that can be repeated: the same seed gives the same numbers on every machine. */

export interface Chance {
  /** From 0 up to but not including 1. */
  next(): number;
  /** Whole number from 0 up to but not including `below`. */
  below(below: number): number;
  pick<T>(values: readonly T[]): T;
  /** A time around a usual one: mostly near it, now and then several times as long. */
  around(ms: number): number;
  /** A UUIDv7 of an instant. */
  id(at: number): string;
}

/** mulberry32: small, quick, and good enough to look like life. */
export function makeChance(seed: number): Chance {
  let state = seed >>> 0;
  const word = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const next = (): number => word() / 4_294_967_296;
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  return {
    next,
    below: (below) => Math.floor(next() * below),
    pick: (values) => values[Math.floor(next() * values.length)] as (typeof values)[number],
    around: (ms) => Math.max(1, Math.round(ms * Math.exp((next() + next() + next() - 1.5) * 0.9) * (next() < 0.02 ? 6 : 1))),
    id(at) {
      const time = hex(Math.floor(at), 12);
      const [first, second] = [word(), word()];
      const variant = hex(0x8000 | (first & 0x3fff), 4);
      return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(first >>> 20, 3)}-${variant}-${hex(second, 8)}${hex(word() >>> 16, 4)}`;
    },
  };
}
