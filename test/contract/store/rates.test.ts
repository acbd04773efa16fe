/** Rates: how many runs and tasks begin in a window, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeId } from '../../../src/base/id.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { RateName } from '../../../src/model/rate.ts';
import type { RateAnswer, RateWish, Store } from '../../../src/store/store.ts';
import { makers, type Place } from './makers.ts';
import { leaseMs, newRun, owner, startRun, taskRun } from './rows.ts';

const api: RateName = { name: 'tag:api', base: 'tag:api' };
const mail: RateName = { name: 'tag:mail', base: 'tag:mail' };
const hour = 3_600_000;
/** Places are given when they are free, not ahead. */
const options = { withinMs: 2_000, aheadMs: 0 };

const wish = (changes: Partial<RateWish> = {}): RateWish => ({
  ...{ holder: makeId(), start: makeId(), runId: makeId(), task: 'send', names: [api], priority: 0 },
  ...changes,
});

describe.each(makers)('rates on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  const setRate = (limit: number, perMs = hour, name = 'tag:api') => store.rates.setTagRate(name, { limit, perMs, key: null });
  const askAll = (wishes: readonly RateWish[]) => store.rates.ask(wishes, options);
  const isGranted = ({ granted }: RateAnswer): boolean => granted;
  const granted = (answers: readonly RateAnswer[]): number => answers.filter(isGranted).length;
  const ask = async (one: RateWish): Promise<RateAnswer> => {
    const [answer] = await store.rates.ask([one], options);
    if (!answer) throw new Error('It was not answered.');
    return answer;
  };
  const untilGranted = async (one: RateWish): Promise<void> => {
    for (;;) {
      const answer = await ask({ ...one, start: makeId() });
      if (answer.granted) return;
      await systemClock.sleep(Math.min(answer.waitMs, 20));
    }
  };

  test('as many begin as it allows, and the others are told when they do', async () => {
    await setRate(3);
    const answers = await askAll(Array.from({ length: 5 }, () => wish()));
    expect(answers.map(isGranted)).toEqual([true, true, true, false, false]);
    const [, , , fourth, fifth] = answers;
    expect(fourth).toMatchObject({ name: 'tag:api', limit: 3, perMs: hour });
    for (const turn of [fourth, fifth]) {
      if (turn?.granted !== false) throw new Error('It was granted.');
      expect(Math.abs(turn.waitMs - hour)).toBeLessThan(60_000);
    }
  });

  test('what waits for the second window is told so', async () => {
    await setRate(2);
    await askAll([wish(), wish()]);
    const turns = await askAll(Array.from({ length: 5 }, () => wish()));
    expect(turns.map((turn) => (turn.granted ? 0 : Math.round(turn.waitMs / hour)))).toEqual([1, 1, 2, 2, 3]);
  });

  test('what nothing declares holds nobody back', async () => {
    expect(await ask(wish())).toEqual({ granted: true });
    expect(await ask(wish({ names: [{ name: 'flow:gone', base: 'flow:gone' }] }))).toEqual({ granted: true });
    expect(await ask(wish({ names: [{ name: 'deployment:gone', base: 'deployment:gone' }] }))).toEqual({ granted: true });
  });

  test('a start counts until a whole window after it was confirmed', async () => {
    const perMs = 400;
    await setRate(1, perMs);
    const first = wish();
    expect(isGranted(await ask(first))).toBe(true);
    await systemClock.sleep(150);
    const confirmedAt = Date.now();
    await store.rates.started([{ start: first.start, at: confirmedAt }]);
    await untilGranted(wish());
    expect(Date.now() - confirmedAt).toBeGreaterThanOrEqual(perMs);
  });

  test('a start that is never confirmed counts as if it had happened at the last moment it could', async () => {
    await setRate(1, 200);
    const askedAt = Date.now();
    expect(isGranted(await ask(wish()))).toBe(true);
    await untilGranted(wish());
    expect(Date.now() - askedAt).toBeGreaterThanOrEqual(2_200);
  });

  test('a start that is given back leaves its place to the next at once', async () => {
    await setRate(1);
    const first = wish();
    const second = wish();
    await ask(first);
    expect(isGranted(await ask(second))).toBe(false);
    await store.rates.giveBack([first.start]);
    await store.rates.giveBack([first.start]);
    expect(isGranted(await ask(second))).toBe(true);
    expect(isGranted(await ask(wish()))).toBe(false);
  });

  test('several processes that ask at once never get more than it allows', async () => {
    await setRate(10);
    const stores = [store, await here.open(), await here.open(), await here.open()];
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, at) => (stores[at % 4] as Store).rates.ask([wish(), wish({ names: [api, mail] })], options)),
    );
    expect(granted(answers.flat())).toBe(10);
    expect((await store.rates.views()).find(({ name }) => name === 'tag:api')).toMatchObject({ limit: 10, used: 10, waiting: 0 });
  });

  test('higher priority goes first, then whoever has waited longest', async () => {
    await setRate(1);
    const held = wish();
    await ask(held);
    const [low, high, later] = [wish(), wish({ priority: 5 }), wish()];
    for (const one of [low, high, later]) await ask(one);
    await store.rates.giveBack([held.start]);
    expect((await askAll([later, low, high])).map(isGranted)).toEqual([false, false, true]);
    await store.rates.giveBack([high.start]);
    expect((await askAll([later, low])).map(isGranted)).toEqual([false, true]);
  });

  test('what is under several rates begins once all have room, and takes nothing of one before', async () => {
    await setRate(1);
    await setRate(1, hour, 'tag:mail');
    const mailOnly = wish({ names: [mail] });
    await ask(mailOnly);
    const both = wish({ names: [api, mail] });
    expect(await ask(both)).toMatchObject({ granted: false, name: 'tag:mail' });
    expect(isGranted(await ask(wish()))).toBe(true);
    await store.rates.giveBack([mailOnly.start]);
    expect(await ask(both)).toMatchObject({ granted: false, name: 'tag:api' });
  });

  test('keys count apart', async () => {
    await setRate(1);
    const of = (customer: string): RateWish => wish({ names: [{ name: `tag:api:${customer}`, base: 'tag:api' }] });
    expect((await askAll([of('a'), of('b'), of('a')])).map(isGranted)).toEqual([true, true, false]);
  });

  test('a rate that is raised, lowered or deleted goes for those that ask from then on', async () => {
    await setRate(1);
    await askAll([wish()]);
    await setRate(3);
    expect(granted(await askAll([wish(), wish(), wish()]))).toBe(2);
    await setRate(1);
    expect(granted(await askAll([wish()]))).toBe(0);
    expect(await store.rates.deleteTagRate('tag:api')).toBe(true);
    expect(await store.rates.deleteTagRate('tag:api')).toBe(false);
    expect(granted(await askAll([wish(), wish()]))).toBe(2);
  });

  describe('of runs that were let go of', () => {
    async function sleeping(names = [api]): Promise<string> {
      const dueAt = systemClock.now() + hour;
      const run = newRun({ state: stateOf('SCHEDULED'), dueAt, scheduledFor: dueAt });
      await store.fleet.insertMany([{ run, idempotencyKey: null }]);
      await ask(wish({ holder: run.id, runId: run.id, task: null, names }));
      return run.id;
    }

    test('those that no longer have to wait are due at once', async () => {
      await setRate(1);
      const held = wish();
      await ask(held);
      const ids = [await sleeping(), await sleeping()];
      expect(await store.rates.advance()).toEqual([]);
      await store.rates.giveBack([held.start]);
      expect((await store.rates.advance()).map(({ id }) => id)).toEqual([ids[0]]);
      expect((await store.runs.get(ids[0] ?? ''))?.dueAt).toBeLessThanOrEqual(systemClock.now() + 1);
      expect(await store.rates.advance()).toEqual([]);
    });

    test('a raised rate brings them forward, and a deleted one all of them', async () => {
      await setRate(1);
      await ask(wish());
      const ids = [await sleeping(), await sleeping(), await sleeping()];
      await setRate(3);
      expect((await store.rates.advance()).map(({ id }) => id)).toEqual(ids.slice(0, 2));
      await store.rates.deleteTagRate('tag:api');
      expect((await store.rates.advance()).map(({ id }) => id)).toEqual(ids.slice(2));
    });

    test('what waits for another rate as well stays where it is until both have room', async () => {
      await setRate(1);
      await setRate(1, hour, 'tag:mail');
      const [held, mailHeld] = [wish(), wish({ names: [mail] })];
      await askAll([held, mailHeld]);
      const [both, later] = [await sleeping([api, mail]), await sleeping()];
      await store.rates.giveBack([held.start]);
      // Nor does it keep others from their turn.
      expect((await store.rates.advance()).map(({ id }) => id)).toEqual([later]);
      expect(await store.rates.advance()).toEqual([]);
      await store.rates.giveBack([mailHeld.start]);
      expect((await store.rates.advance()).map(({ id }) => id)).toEqual([both]);
    });

    test('a wait for a rate that is not asked any more stays as it is', async () => {
      await setRate(1);
      await setRate(1, hour, 'tag:mail');
      await askAll([wish(), wish({ names: [mail] })]);
      const id = await sleeping([api, mail]);
      const waits = async () => Object.fromEntries((await store.rates.waitsOf(id)).map(({ name, nextAt }) => [name, nextAt]));
      const before = await waits();
      await setRate(1, 2 * hour);
      await ask(wish({ holder: id, runId: id, task: null }));
      const after = await waits();
      expect(after['tag:api']).toBeGreaterThan(before['tag:api'] ?? 0);
      expect(after['tag:mail']).toBe(before['tag:mail']);
    });

    test('spread tasks that were let go of are to be had at once, by a ticket that is another', async () => {
      await setRate(1);
      const held = wish();
      await ask(held);
      const claim = await startRun(store);
      const row = taskRun(claim.runId, 'send', { state: stateOf('SCHEDULED') });
      await store.spread.offer(claim, [{ taskRun: row, queue: 'default', priority: 0, inputs: null, inputsRef: null }]);
      const taken = (await store.spread.claimMany([row.id], owner, leaseMs)).get(row.id);
      if (!taken) throw new Error('It was not claimed.');
      await ask(wish({ holder: row.id, runId: claim.runId }));
      const released = await store.spread.release(taken.claim, systemClock.now() + hour);
      expect((await store.spread.claimMany([row.id], owner, leaseMs)).size).toBe(0);
      await store.rates.giveBack([held.start]);
      expect(await store.rates.advance()).toEqual([]);
      const tickets = await store.spread.dueUnticketed({ ticketedBeforeMs: 5_000, limit: 10 });
      expect(tickets).toMatchObject([{ id: row.id, epoch: (released?.epoch ?? 0) + 1 }]);
      expect((await store.spread.claimMany([row.id], owner, leaseMs)).size).toBe(1);
    });

    test('what is left of ended runs is cleared away, and the next take their places', async () => {
      await setRate(1);
      const held = wish();
      await ask(held);
      const [first, second] = [await sleeping(), await sleeping()];
      await store.runs.requestCancel(first, systemClock.now(), 'No more.', () => true);
      await store.rates.giveBack([held.start]);
      expect((await store.rates.advance()).map(({ id }) => id)).toEqual([second]);
      expect(await store.rates.waitsOf(first)).toEqual([]);
    });
  });

  test('tells what a run waits for, and how each rate stands', async () => {
    await setRate(2);
    await setRate(5, 60_000, 'tag:mail');
    const claim = await startRun(store);
    const { runId } = claim;
    await askAll([wish({ runId }), wish({ runId })]);
    await askAll([wish({ runId }), wish({ runId }), wish({ runId, task: 'other' })]);
    const waits = await store.rates.waitsOf(runId);
    expect(waits.map(({ name, task, count, limit, perMs }) => [name, task, count, limit, perMs]).sort()).toEqual([
      ['tag:api', 'other', 1, 2, hour],
      ['tag:api', 'send', 2, 2, hour],
    ]);
    const [view, unused] = await store.rates.views();
    expect(view).toMatchObject({ name: 'tag:api', limit: 2, used: 2, waiting: 3 });
    expect(view?.nextAt).toBeGreaterThan(systemClock.now() + hour / 2);
    expect(view?.waiters).toHaveLength(3);
    expect(view?.waiters[0]).toMatchObject({ runId, runName: 'quick-otter' });
    expect(unused).toMatchObject({ name: 'tag:mail', limit: 5, perMs: 60_000, used: 0, nextAt: null, waiting: 0 });
    await store.rates.leave(view?.waiters.map(({ taskRunId }) => taskRunId ?? '') ?? []);
    expect(await store.rates.waitsOf(runId)).toEqual([]);
  });
});
