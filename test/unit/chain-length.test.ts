/** How long the chain of triggers is in which a run stands. */
import { expect, test } from 'vitest';
import { ChainLengths } from '../../scheduler/chain-length.ts';
import type { Run } from '../../src/model/run.ts';
import { maxHops } from '../../src/model/triggers/trigger.ts';
import type { Store } from '../../src/store/store.ts';

const idOf = (at: number): string => `00000000-0000-7000-8000-${String(at).padStart(12, '0')}`;

/** Runs by their number; notes which are looked up. */
function chainsOf(runs: Readonly<Record<number, { readonly parent?: number; readonly caller?: string; readonly hops?: number }>>) {
  const looked: string[] = [];
  const byId = new Map(
    Object.entries(runs).map(([at, { parent, caller, hops }]) => {
      const submitted = {
        ...(caller === undefined ? {} : { callerRunId: caller }),
        ...(hops === undefined ? {} : { trigger: { slug: 's', firing: 'f', cause: 'c', causeId: 'i', count: 1, hops } }),
      };
      const params = `{"json":1${Object.keys(submitted).length === 0 ? '' : `,"submitted":${JSON.stringify(submitted)}`}}`;
      return [idOf(Number(at)), { params, parentRunId: parent === undefined ? null : idOf(parent) } as Run];
    }),
  );
  const get = async (id: string) => (looked.push(id), byId.get(id) ?? null);
  return { looked, lengths: new ChainLengths({ runs: { get } } as unknown as Store) };
}

/** So many runs, each started by the one before; the first by nobody, or by a trigger. */
const line = (count: number, first: { readonly hops?: number } = {}) =>
  chainsOf(Object.fromEntries(Array.from({ length: count }, (_, at) => [at + 1, at === 0 ? first : { parent: at }])));

test('a run that no trigger has started is in none', async () => {
  const { lengths, looked } = chainsOf({ 1: {}, 2: { caller: 'somebody over HTTP' } });
  expect([await lengths.of(null), await lengths.of('a text'), await lengths.of(idOf(9)), await lengths.of(idOf(1))]).toEqual([0, 0, 0, 0]);
  expect(await lengths.of(idOf(2))).toBe(0);
  expect(looked).toEqual([9, 1, 2].map(idOf));
});

test('it is that of the nearest run above it that a trigger has started: above it by code, or as the caller', async () => {
  const { lengths } = chainsOf({ 1: { hops: 1 }, 2: { hops: 4, parent: 1 }, 3: { parent: 2, caller: idOf(1) }, 4: { caller: idOf(3) } });
  expect([await lengths.of(idOf(4)), await lengths.of(idOf(3)), await lengths.of(idOf(2)), await lengths.of(idOf(1))]).toEqual([
    4, 4, 4, 1,
  ]);
});

test('each run is looked up once, whatever is asked after it', async () => {
  const { lengths, looked } = line(5, { hops: 2 });
  expect([await lengths.of(idOf(3)), await lengths.of(idOf(5)), await lengths.of(idOf(1))]).toEqual([2, 2, 2]);
  expect(looked).toEqual([3, 2, 1, 5, 4].map(idOf));
});

test('runs that name each other are in none, and end the look', async () => {
  const { lengths } = chainsOf({ 1: { caller: idOf(2) }, 2: { caller: idOf(1) } });
  expect([await lengths.of(idOf(1)), await lengths.of(idOf(2))]).toEqual([0, 0]);
});

test.each([
  ['from the longest', [70, 65, 64, 2]],
  ['from the shortest', [2, 64, 65, 70]],
])('more than 64 runs that started one another count as too long, and no fewer, asked %s', async (_, order) => {
  const { lengths } = line(70);
  const found = new Map<number, number>();
  for (const at of order) found.set(at, await lengths.of(idOf(at)));
  expect([2, 64, 65, 70].map((at) => found.get(at))).toEqual([0, 0, maxHops, maxHops]);
});

test('of a line without end no more than 64 runs are looked up', async () => {
  const { lengths, looked } = line(200);
  expect([await lengths.of(idOf(200)), looked.length]).toEqual([maxHops, 64]);
});
