/** Who gets which place of a rate: decided over starts in memory, with a clock that runs by numbers alone. */
import { describe, expect, test } from 'vitest';
import type { RateName } from '../../../src/model/rate.ts';
import { type Asking, decide, type RateState, type Waiting, waitingOf } from '../../../src/store/limits/rate-places.ts';
import type { RateWish } from '../../../src/store/limits/rate-contract.ts';
import { seededRandom } from '../../support/faulty-broker.ts';

const api: RateName = { name: 'tag:api', base: 'tag:api' };
const mail: RateName = { name: 'tag:mail', base: 'tag:mail' };

let made = 0;
const wish = (names: readonly RateName[] = [api], priority = 0): RateWish => {
  const id = `w${String(++made).padStart(6, '0')}`;
  return { holder: id, start: `${id}-start`, runId: id, task: 'send', names, priority };
};
const asking = (one: RateWish, since: number): Asking => ({ wish: one, since: new Map(one.names.map(({ name }) => [name, since])) });
const rate = (changes: Partial<RateState> = {}): RateState => ({
  ...{ name: 'tag:api', limit: 2, perMs: 1_000, used: 0, heads: [], expected: [], claims: [] },
  ...changes,
});
const states = (...all: readonly RateState[]) => new Map(all.map((one) => [one.name, one]));
const full = (...at: readonly number[]): Pick<RateState, 'used' | 'heads'> => ({
  used: at.length,
  heads: at.map((instant) => ({ start: `s${instant}`, at: instant })),
});
const expectedAt = (since: number): Waiting => ({ id: 'other', priority: 0, since });

describe('places of a rate', () => {
  test('are given at once while they are free, then a window after the starts that have them', () => {
    const wishes = [wish(), wish(), wish(), wish()];
    const { beginAt, changes, lacking } = decide(
      wishes.map((one, since) => asking(one, since)),
      states(rate({ limit: 3, ...full(4_300, 4_600) })),
      5_000,
      400,
    );
    expect(wishes.map((one) => beginAt.get(one))).toEqual([5_000, 5_301, undefined, undefined]);
    expect(lacking.get(wishes[2] as RateWish)).toBe('tag:api');
    expect(changes.get('tag:api')).toEqual({
      given: [
        { start: wishes[0]?.start, beginAt: 5_000, afterAt: null },
        { start: wishes[1]?.start, beginAt: 5_301, afterAt: 4_300 },
      ],
      gone: ['s4300'],
    });
  });

  test('that are free are left to those elsewhere who are before', () => {
    const state = rate({ ...full(4_100, 4_200), expected: [expectedAt(1)] });
    const [early, late] = [wish(), wish()];
    expect(decide([asking(early, 0)], states(state), 5_000, 400).beginAt.get(early)).toBe(5_101);
    expect(decide([asking(late, 2)], states(state), 5_000, 400).beginAt.get(late)).toBe(5_201);
    const urgent = wish([api], 1);
    expect(decide([asking(urgent, 2)], states(state), 5_000, 400).beginAt.get(urgent)).toBe(5_101);
  });

  test('are none while more count than a lowered rate allows', () => {
    const one = wish();
    const at = (now: number, ...starts: readonly number[]) =>
      decide([asking(one, 0)], states(rate({ limit: 1, ...full(...starts) })), now, 400).beginAt.get(one);
    expect(at(5_000, 4_100, 4_200)).toBe(undefined);
    expect(at(5_150, 4_100, 4_200)).toBe(undefined);
    expect(at(5_201, 4_100, 4_200)).toBe(5_201);
  });

  test('of several rates are given together, those that would be empty for the shortest time', () => {
    const both = wish([api, mail]);
    const busy = rate({ limit: 3, ...full(4_000, 4_300, 4_390) });
    const slow = rate({ name: 'tag:mail', limit: 1, ...full(4_380) });
    const { beginAt, changes } = decide([asking(both, 0)], states(busy, slow), 5_000, 400);
    expect(beginAt.get(both)).toBe(5_381);
    expect(changes.get('tag:api')).toMatchObject({ given: [{ beginAt: 5_381, afterAt: 4_300 }] });
    expect(changes.get('tag:mail')).toMatchObject({ given: [{ beginAt: 5_381, afterAt: 4_380 }] });
  });

  test('that only one of its rates has are taken of neither', () => {
    const both = wish([api, mail]);
    const alone = wish();
    const { beginAt, lacking, changes } = decide(
      [asking(both, 0), asking(alone, 1)],
      states(rate({ limit: 1 }), rate({ name: 'tag:mail', limit: 1, ...full(5_900) })),
      5_000,
      400,
    );
    expect(lacking.get(both)).toBe('tag:mail');
    expect(beginAt.get(alone)).toBe(5_000);
    expect(changes.get('tag:mail')).toEqual({ given: [], gone: [] });
  });
});

/** A rate whose starts are kept here, as the store keeps them. */
class Kept {
  readonly starts = new Map<string, { at: number; afterAt: number | null }>();

  state(name: string, limit: number, perMs: number): RateState {
    const heads = [...this.starts].map(([start, { at }]) => ({ start, at })).sort((a, b) => a.at - b.at);
    return { name, limit, perMs, used: heads.length, heads, expected: [], claims: [] };
  }

  giveBack(start: string): void {
    const kept = this.starts.get(start);
    this.starts.delete(start);
    if (kept && kept.afterAt !== null) this.starts.set(`${start}~`, { at: kept.afterAt, afterAt: null });
  }
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'no window holds more starts than the rate allows, whatever is late, lost or given back: seed %i',
  (seed) => {
    const random = seededRandom(seed);
    const [perMs, withinMs] = [300, 200];
    const limits = new Map([
      ['tag:api', 7],
      ['tag:mail', 4],
    ]);
    const kept = new Map([...limits.keys()].map((name) => [name, new Kept()]));
    const begun = new Map([...limits.keys()].map((name) => [name, [] as number[]]));
    const pending: { wish: RateWish; beginsAt: number; confirmsAt: number }[] = [];
    for (let now = 0; now < 20_000; now += 1 + Math.floor(random() * 12)) {
      for (const one of pending.filter(({ confirmsAt }) => confirmsAt <= now)) {
        pending.splice(pending.indexOf(one), 1);
        for (const { name } of one.wish.names) {
          const row = kept.get(name)?.starts.get(one.wish.start);
          if (row) row.at = one.beginsAt;
        }
      }
      const wishes = Array.from({ length: Math.floor(random() * 4) }, () => wish([[api], [mail], [api, mail]][Math.floor(random() * 3)]));
      const now_ = new Map([...kept].map(([name, rows]) => [name, rows.state(name, limits.get(name) ?? 0, perMs)]));
      const { beginAt, changes } = decide(
        wishes.map((one) => asking(one, now)),
        now_,
        now,
        random() < 0.5 ? 0 : Math.floor(random() * 250),
      );
      for (const [name, { given, gone }] of changes) {
        for (const start of gone) kept.get(name)?.starts.delete(start);
        for (const { start, beginAt: from, afterAt } of given) kept.get(name)?.starts.set(start, { at: from + withinMs, afterAt });
      }
      for (const [one, from] of beginAt) {
        const fate = random();
        if (fate < 0.1) for (const { name } of one.names) kept.get(name)?.giveBack(one.start);
        else {
          const beginsAt = from + Math.floor(random() * withinMs);
          for (const { name } of one.names) begun.get(name)?.push(beginsAt);
          // One in five is killed before it can say so.
          if (fate > 0.3) pending.push({ wish: one, beginsAt, confirmsAt: beginsAt + Math.floor(random() * 400) });
        }
      }
    }
    for (const [name, all] of begun) {
      const limit = limits.get(name) ?? 0;
      const starts = all.toSorted((a, b) => a - b);
      expect(starts.length).toBeGreaterThan(limit * 20);
      expect(starts.filter((at, place) => (starts[place + limit] ?? Infinity) - at < perMs)).toEqual([]);
    }
  },
);

test.each([1, 2, 3])('what is under two busy rates gets its turn within four windows, while others keep both busy: seed %i', (seed) => {
  const random = seededRandom(seed);
  const [limit, perMs, withinMs, aheadMs] = [10, 1_000, 1_000, 80];
  const kept = new Map([api, mail].map(({ name }) => [name, new Kept()]));
  const singles = new Map<string, Asking[]>([api, mail].map((name) => [name.name, []]));
  const confirms: { readonly at: number; readonly wish: RateWish }[] = [];
  let [both, sinceBoth, askBothAt, begunBoth, begunAlone] = [wish([api, mail]), 3_000, 3_000, 0, 0];
  for (let now = 0; now < 40_000; now += 1 + Math.floor(random() * 9)) {
    for (const one of confirms.filter(({ at }) => at + 30 <= now)) {
      confirms.splice(confirms.indexOf(one), 1);
      for (const { name } of one.wish.names) {
        const row = kept.get(name)?.starts.get(one.wish.start);
        if (row) row.at = one.at;
      }
    }
    for (const name of [api, mail]) {
      const waiting = singles.get(name.name) ?? [];
      // The one is full when the other is not.
      while ((name === api || now > perMs / 2) && waiting.length < limit) waiting.push(asking(wish([name]), now));
    }
    const isTurn = now >= askBothAt;
    const line = asking(both, sinceBoth);
    const all = [...[...singles.values()].flatMap((waiting) => waiting.filter(() => random() < 0.5)), ...(isTurn ? [line] : [])];
    const claims = isTurn ? [] : [{ ...waitingOf(line, api.name), nextAt: askBothAt + aheadMs }];
    const rates = new Map([...kept].map(([name, rows]) => [name, { ...rows.state(name, limit, perMs), claims }]));
    const { beginAt, changes } = decide(all, rates, now, aheadMs);
    for (const [name, { given, gone }] of changes) {
      for (const start of gone) kept.get(name)?.starts.delete(start);
      for (const { start, beginAt: from, afterAt } of given) kept.get(name)?.starts.set(start, { at: from + withinMs, afterAt });
    }
    // It asks again shortly before all of its rates have a place.
    if (isTurn) askBothAt = Math.max(now + 25, ...[...rates.values()].map(({ heads }) => (heads[0]?.at ?? 0) + perMs + 1 - aheadMs));
    for (const [one, from] of beginAt) {
      confirms.push({ at: from, wish: one });
      for (const { name } of one.names) {
        const waiting = singles.get(name) ?? [];
        const place = waiting.findIndex((other) => other.wish === one);
        if (place >= 0) waiting.splice(place, 1);
      }
      if (one !== both) begunAlone++;
      else {
        expect(from - sinceBoth).toBeLessThan(4 * perMs);
        begunBoth++;
        [both, sinceBoth, askBothAt] = [wish([api, mail]), now, now + 400];
      }
    }
  }
  expect(begunBoth).toBeGreaterThan(12);
  // Nothing of the rates is lost to it.
  expect(begunAlone + 2 * begunBoth).toBeGreaterThan(0.95 * 2 * limit * (40_000 / perMs));
});
