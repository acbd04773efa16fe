/** Places of rates that are given ahead of their time, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { makeId } from '../../../src/base/id.ts';
import type { RateName } from '../../../src/model/rate.ts';
import type { RateAnswer, RateWish, Store } from '../../../src/store/store.ts';
import { makers, type Place } from './makers.ts';

const api: RateName = { name: 'tag:api', base: 'tag:api' };
const mail: RateName = { name: 'tag:mail', base: 'tag:mail' };
const hour = 3_600_000;
const withinMs = 2_000;

const wish = (changes: Partial<RateWish> = {}): RateWish => ({
  ...{ holder: makeId(), start: makeId(), runId: makeId(), task: 'send', names: [api], priority: 0 },
  ...changes,
});

describe.each(makers)('places of rates on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  const setRate = (limit: number, perMs: number, name = 'tag:api') => store.rates.setTagRate(name, { limit, perMs, key: null });
  const askAll = (wishes: readonly RateWish[], aheadMs = 2 * hour) => store.rates.ask(wishes, { withinMs, aheadMs });
  const ask = async (one: RateWish, aheadMs?: number): Promise<RateAnswer> => {
    const [answer] = await askAll([one], aheadMs);
    if (!answer) throw new Error('It was not answered.');
    return answer;
  };
  const beginAt = (answer: RateAnswer | undefined): number | null => (answer?.granted ? (answer.place?.beginAt ?? null) : null);
  const confirm = async (...starts: readonly RateWish[]): Promise<number> => {
    const at = Date.now();
    await store.rates.started(starts.map(({ start }) => ({ start, at })));
    return at;
  };

  test('are given to the millisecond, one after the other', async () => {
    await setRate(2, hour);
    const [first, second] = [wish(), wish()];
    const at = beginAt(await ask(first)) ?? 0;
    expect(beginAt(await ask(second))).toBeGreaterThanOrEqual(at);
    await store.rates.started([
      { start: first.start, at: at + 5 },
      { start: second.start, at: at + 700 },
    ]);
    const next = await askAll([wish(), wish(), wish()]);
    expect(next.map(beginAt)).toEqual([at + 5 + hour + 1, at + 700 + hour + 1, null]);
  });

  test('are not given before the agreed time', async () => {
    await setRate(1, hour);
    const first = wish();
    const at = beginAt(await ask(first)) ?? 0;
    await store.rates.started([{ start: first.start, at }]);
    const next = wish();
    const turn = await ask(next, 60_000);
    expect(turn).toMatchObject({ granted: false, nextAt: expect.any(Number) as number });
    // It is known when it probably comes, and that is when it does.
    expect(turn.granted ? 0 : turn.nextAt).toBe(at + hour + 1);
    expect(beginAt(await ask(next))).toBe(at + hour + 1);
  });

  test('that are given back are free when they would have been, once', async () => {
    await setRate(1, hour);
    const first = wish();
    const at = beginAt(await ask(first)) ?? 0;
    await store.rates.started([{ start: first.start, at }]);
    const second = wish();
    expect(beginAt(await ask(second))).toBe(at + hour + 1);
    await store.rates.giveBack([second.start]);
    await store.rates.giveBack([second.start]);
    expect((await store.rates.views())[0]).toMatchObject({ used: 1 });
    expect(beginAt(await ask(wish()))).toBe(at + hour + 1);
    expect(beginAt(await ask(wish()))).toBe(null);
  });

  test('that were given count until the start has been told or cannot come any more', async () => {
    await setRate(1, hour);
    const first = wish();
    const at = beginAt(await ask(first)) ?? 0;
    expect(beginAt(await ask(wish()))).toBe(at + withinMs + hour + 1);
    // What is told too late changes nothing for whoever has the place by now.
    await store.rates.started([{ start: first.start, at }]);
    expect(beginAt(await ask(wish(), 3 * hour))).toBe(at + 2 * (withinMs + hour + 1));
  });

  test('are kept for those who are expected, and no longer than until their instant', async () => {
    await setRate(2, 600);
    const [first, second] = [wish(), wish()];
    await askAll([first, second]);
    const at = await confirm(first, second);
    const [absent, present] = [wish(), wish()];
    const turn = await ask(absent, 0);
    expect(turn.granted).toBe(false);
    const given = beginAt(await ask(present, 1_000));
    // Both places are free at the same instant: one was left to whoever was there before.
    expect(given).toBe(at + 601);
    expect(beginAt(await ask(wish(), 1_000))).toBe(null);
    await systemClock.sleep(Math.max(0, at + 610 - Date.now()));
    for (let answer = await ask(wish(), 0); !answer.granted; answer = await ask(wish(), 0)) await systemClock.sleep(10);
    // The one that is absent asks after all, and is the next.
    expect(beginAt(await ask(absent, hour))).toBeGreaterThan(at + 1_201);
  });

  test('of a rate that is busy are not kept for what waits for another', async () => {
    await setRate(20, hour);
    await setRate(1, hour, 'tag:mail');
    await ask(wish({ names: [mail] }));
    const both = Array.from({ length: 30 }, () => wish({ names: [api, mail] }));
    expect((await askAll(both, 0)).filter(({ granted }) => granted)).toEqual([]);
    const alone = await askAll(
      Array.from({ length: 25 }, () => wish()),
      0,
    );
    expect(alone.filter(({ granted }) => granted)).toHaveLength(20);
  });
});
