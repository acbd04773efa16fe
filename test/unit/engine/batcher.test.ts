/** What is asked for together is done together, and settles together. */
import { expect, test } from 'vitest';
import { Batcher } from '../../../src/engine/batcher.ts';
import { gate } from '../../support/make-flow.ts';

test('what is asked for in one turn is one group, and each gets its own result', async () => {
  const groups: number[][] = [];
  const gather = new Batcher(async (items: readonly number[]) => {
    groups.push([...items]);
    return items.map((item) => item * 10);
  });
  expect(await Promise.all([1, 2, 3].map((item) => gather.add(item)))).toEqual([10, 20, 30]);
  expect(groups).toEqual([[1, 2, 3]]);
});

test('what is asked for while a group is under way waits for it, and is bounded', async () => {
  const groups: number[][] = [];
  const { opened, open } = gate();
  const gather = new Batcher(
    async (items: readonly number[]) => {
      groups.push([...items]);
      if (groups.length === 1) await opened;
      return items;
    },
    { maxItems: 2 },
  );
  const first = gather.add(0);
  await new Promise((resolve) => setImmediate(resolve));
  const others = [1, 2, 3].map((item) => gather.add(item));
  await new Promise((resolve) => setImmediate(resolve));
  expect(groups).toEqual([[0]]);
  open();
  expect(await Promise.all([first, ...others])).toEqual([0, 1, 2, 3]);
  expect(groups).toEqual([[0], [1, 2], [3]]);
});

test.each([
  ['rejects', () => Promise.reject(new Error('away'))],
  [
    'throws at once',
    () => {
      throw new Error('away');
    },
  ],
])('a group that %s fails everybody in it, and nobody after it', async (_, fail) => {
  let fails = true;
  const gather = new Batcher((items: readonly number[]): Promise<readonly number[]> => {
    if (!fails) return Promise.resolve(items);
    fails = false;
    return fail();
  });
  const settled = await Promise.allSettled([1, 2].map((item) => gather.add(item)));
  expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await gather.add(3)).toBe(3);
});
