/** The nets behind what workers do at once: deadlines, places of earlier ticks, slots and tickets; and the news between processes. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BatutaError } from '../../../src/base/errors.ts';
import { backfillsChannel } from '../../../src/model/deployment.ts';
import { taskQueueOf } from '../../../src/model/queue.ts';
import type { Ticketed } from '../../../src/store/store.ts';
import { cacheNews } from '../../../src/upkeep/cache-news.ts';
import { expiryLoop } from '../../../src/upkeep/expiry.ts';
import { limitNews, limitsLoop, tryGiveOnSlots } from '../../../src/upkeep/limits.ts';
import { orphansLoop } from '../../../src/upkeep/orphans.ts';
import { overlapLoop, releaseHeld, tryGoOnAfterEnds } from '../../../src/upkeep/overlap.ts';
import { eachApart, isOutage, putTickets, tellTaskEnd, tryPutTickets } from '../../../src/upkeep/parts.ts';
import { type HandLoops, openHandLoops } from '../../support/hand-loops.ts';
import { until } from '../../support/room.ts';

const storeAway = new BatutaError('STORE_UNAVAILABLE', 'The store is away.');
const brokerAway = new BatutaError('BROKER_UNAVAILABLE', 'The broker is away.');
const ticket = (id: string, changes: Partial<Ticketed> = {}): Ticketed => ({
  ...{ id, epoch: 0, queue: 'default', priority: 0, dueAt: null },
  ...changes,
});

let at: HandLoops;
beforeEach(async () => {
  at = await openHandLoops();
});
afterEach(() => at.close());

test('runs that did not begin in time free their slots and are reported, batch by batch', async () => {
  const { limits } = at.engine.services;
  const batches = [
    { ended: [{ flow: 'a', concurrencyKey: 'flow:a' }], hasMore: true },
    { ended: [{ flow: 'b', concurrencyKey: null }], hasMore: false },
  ];
  const [asked, freed]: [unknown[], unknown[]] = [[], []];
  Object.assign(at.store.expiry, {
    expire: async (options: unknown) => (asked.push(options), batches.shift() ?? { ended: [], hasMore: false }),
  });
  Object.assign(limits.runs, { freed: (key: string | null) => void freed.push(key) });
  await at.pass(expiryLoop(at.parts, { intervalMs: 1_000 }));
  expect([asked, freed]).toEqual([
    [{ limit: 100 }, { limit: 100 }],
    ['flow:a', null],
  ]);
  expect(at.told).toMatchObject(['a', 'b'].map((flow) => ({ kind: 'ended', flow, state: { type: 'CANCELLED', name: 'Expired' } })));
  await at.pass(expiryLoop(at.parts, { intervalMs: 1_000 }));
  expect([at.told.length, at.logged.length]).toEqual([2, 2]);
});

test('sub-flows left behind by runs that have ended are cancelled, here or elsewhere, page by page; one that cannot be holds up no others', async () => {
  const why = 'The run that called it has ended.';
  const [steps, asked]: [unknown[], unknown[]] = [[], []];
  const place = (id: string) => ({ parentRunId: 'caller', id });
  const pages = [
    { orphans: ['here', 'broken', 'there'].map(place), last: place('there') },
    { orphans: [], last: null },
  ];
  Object.assign(at.engine, { underWay: (id: string) => (id === 'here' ? { cancel: (told: string) => steps.push(['here', told]) } : null) });
  Object.assign(at.store.fleet, { orphans: async ({ after }: { after: unknown }) => (asked.push(after), pages.shift() ?? pages[0]) });
  Object.assign(at.store.runs, {
    requestCancel: async (id: string, _at: number, told: string) => {
      if (id === 'broken') throw new Error('No.');
      steps.push([id, told]);
    },
    children: async (id: string) => (steps.push(['children', id]), []),
  });
  const loop = orphansLoop(at.parts, { intervalMs: 1_000 });
  await loop.start();
  await at.rests();
  await at.fire(1_000);
  await loop.stop();
  expect(steps).toEqual([
    ['here', why],
    ['there', why],
    ['children', 'there'],
  ]);
  expect(asked).toEqual([null, place('there')]);
  expect(at.logged).toEqual([
    'A sub-flow of a run that has ended cannot be cancelled.',
    'Sub-flows were left behind by runs that have ended, and are cancelled.',
  ]);
});

describe('runs of ticks', () => {
  const message = `A later tick took its place (overlap 'cancel-running').`;

  test('whose place a later one takes are cancelled, here or elsewhere, with their sub-flows; then those whose turn it is are let go', async () => {
    const steps: unknown[] = [];
    const { runs, ticks } = at.store;
    const { isOwnerGone } = at.engine.services;
    Object.assign(at.engine, { underWay: (id: string) => (id === 'here' ? { cancel: (why: string) => steps.push(['here', why]) } : null) });
    Object.assign(ticks, {
      overtaken: async () => ['here', 'there'],
      release: async (deployments: unknown) => (steps.push(['release', deployments]), [ticket('next')]),
    });
    Object.assign(runs, {
      requestCancel: async (id: string, _at: number, why: string, gone: unknown) => void steps.push([id, why, gone === isOwnerGone]),
      children: async (id: string) => (steps.push(['children', id]), []),
    });
    await at.pass(overlapLoop(at.parts, { intervalMs: 1_000 }));
    expect(steps).toEqual([
      ['here', message],
      ['there', message, true],
      ['children', 'there'],
      ['release', null],
    ]);
    expect(at.put).toEqual([['next']]);
  });

  test('are let go of one deployment alone where that is asked for', async () => {
    const asked: unknown[] = [];
    Object.assign(at.store.ticks, { release: async (deployments: unknown) => (asked.push(deployments), []) });
    await releaseHeld(at.parts, ['d']);
    expect([asked, at.put]).toEqual([[['d']], []]);
  });

  test('and backfills go on after ends that no worker has seen; if that fails, the net is left to do it', async () => {
    const heard: string[] = [];
    await at.parts.broker.subscribe(backfillsChannel, (text) => heard.push(text));
    await tryGoOnAfterEnds(at.parts);
    await until(() => heard.length === 1);
    Object.assign(at.store.ticks, { release: () => Promise.reject(storeAway) });
    await tryGoOnAfterEnds(at.parts);
    expect(at.logged).toHaveLength(1);
  });
});

describe('free slots', () => {
  test('are given on at once to all that wait, and to runs whose rate has room; if that fails, the next pass does', async () => {
    const asked: unknown[] = [];
    Object.assign(at.store.limits, { nextRuns: async (options: unknown) => (asked.push(options), [ticket('slot')]) });
    Object.assign(at.store.rates, { advance: async () => [ticket('rate')] });
    await tryGiveOnSlots(at.parts);
    expect([asked, at.put]).toEqual([[{ key: null, ticketedBeforeMs: 0 }], [['slot'], ['rate']]]);
    await at.pass(limitsLoop(at.parts, { intervalMs: 1_000 }));
    expect(asked.at(-1)).toEqual({ key: null, ticketedBeforeMs: 5_000 });
    Object.assign(at.store.limits, { nextRuns: () => Promise.reject(storeAway) });
    await tryGiveOnSlots(at.parts);
    expect([at.put.length, at.logged.length]).toEqual([4, 1]);
  });

  test('that went to tasks of other processes are announced to these, and nothing is sent where none did', async () => {
    const [told, owners]: [unknown[], string[]] = [[], []];
    Object.assign(at.parts.broker, { notify: async (...message: unknown[]) => void told.push(message) });
    Object.assign(at.store.limits, { sweepSlots: async () => ({ owners }) });
    await tryGiveOnSlots(at.parts);
    expect(told).toEqual([]);
    owners.push('elsewhere');
    await tryGiveOnSlots(at.parts);
    expect(told).toEqual([['limits', 'free']]);
  });
});

describe('news between processes', () => {
  test.each([
    ['of free slots', limitNews],
    ['of cached values', cacheNews],
  ] as const)('%s reach whoever listens, each only those', async (_, newsOf) => {
    let heard = 0;
    const news = newsOf(at.parts);
    await news.listen(() => void heard++);
    for (const other of [limitNews, cacheNews]) if (other !== newsOf) await other(at.parts).tell();
    await news.tell();
    await until(() => heard > 0);
    expect(heard).toBe(1);
  });

  test('of the end of a spread task fail nothing', async () => {
    Object.assign(at.parts.broker, { notify: () => Promise.reject(brokerAway) });
    await expect(tellTaskEnd(at.parts.broker, 'run', 'task')).resolves.toBeUndefined();
  });
});

describe('tickets', () => {
  /** What is put into each queue. */
  function putInto(): unknown[] {
    const seen: unknown[] = [];
    Object.assign(at.parts.broker, {
      put: async (tickets: unknown, { queue }: { readonly queue: string }) => void seen.push([queue, tickets]),
    });
    return seen;
  }

  test('are put queue by queue, with the instant that is still to come', async () => {
    const seen = putInto();
    const rows = [ticket('a', { dueAt: 99 }), ticket('b', { queue: 'gpu', epoch: 2, priority: 5 }), ticket('c', { dueAt: 101 })];
    await putTickets(at.parts, [...rows, ticket('d', { dueAt: 100 })], 100);
    expect(seen).toEqual([
      [
        'default',
        [
          { kind: 'run', id: 'a', epoch: 0, priority: 0, dueAt: null },
          { kind: 'run', id: 'c', epoch: 0, priority: 0, dueAt: 101 },
          { kind: 'run', id: 'd', epoch: 0, priority: 0, dueAt: null },
        ],
      ],
      ['gpu', [{ kind: 'run', id: 'b', epoch: 2, priority: 5, dueAt: null }]],
    ]);
  });

  test('of spread tasks go to the workers of spread tasks', async () => {
    const seen = putInto();
    await tryPutTickets(at.parts, [ticket('a')], 0, 'task');
    expect(seen).toEqual([[taskQueueOf('default'), [{ kind: 'task', id: 'a', epoch: 0, priority: 0, dueAt: null }]]]);
  });

  test('that cannot be put while the broker is away are left to the look for lost ones', async () => {
    Object.assign(at.parts.broker, { put: () => Promise.reject(brokerAway) });
    await expect(putTickets(at.parts, [ticket('a')], 0)).rejects.toBe(brokerAway);
    await tryPutTickets(at.parts, [ticket('a')], 0);
    expect(at.logged).toEqual(['Tickets could not be put; they will be once the broker is back.']);
  });
});

test('one of many that fails by itself is named and left out; an outage ends them all', async () => {
  const done: number[] = [];
  const act = async (one: number): Promise<void> => {
    if (one === 2) throw new Error('bad');
    if (one === 4) throw storeAway;
    done.push(one);
  };
  await eachApart(at.parts, [1, 2, 3], act, (one) => [{}, `The ${one} is bad.`]);
  expect([done, at.logged]).toEqual([[1, 3], ['The 2 is bad.']]);
  await expect(eachApart(at.parts, [4, 5], act, () => [{}, ''])).rejects.toBe(storeAway);
  expect(done).toEqual([1, 3]);
  const others = [new BatutaError('RUN_NOT_FOUND', 'It is not there.'), new Error('STORE_UNAVAILABLE'), 'STORE_UNAVAILABLE'];
  expect([storeAway, brokerAway, ...others].map(isOutage)).toEqual([true, true, false, false, false]);
});
