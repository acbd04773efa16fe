import { expect, test } from 'vitest';
import { inSlices } from '../../../src/base/slices.ts';

test('work in slices lets others in whenever a turn has taken long, and goes on in order', async () => {
  let now = 0;
  const done: number[] = [];
  const seenByOthers: number[] = [];
  let isOver = false;
  const look = (): void => {
    seenByOthers.push(done.length);
    if (!isOver) setImmediate(look);
  };
  setImmediate(look);
  const items = Array.from({ length: 1_000 }, (_, at) => at);
  await inSlices(items, (item) => (done.push(item), (now += 1)), { monotonic: () => now });
  isOver = true;
  expect(done).toEqual(items);
  const perTurn = seenByOthers.map((count, at) => count - (seenByOthers[at - 1] ?? 0));
  expect(Math.max(...perTurn)).toBe(64);
});

test('work that is done quickly is done in one turn', async () => {
  const done: number[] = [];
  const work = inSlices([1, 2, 3], (item) => void done.push(item));
  expect(done).toEqual([1, 2, 3]);
  await work;
});
