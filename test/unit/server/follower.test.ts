import { expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { Follower } from '../../../src/client/follower.ts';

interface Row {
  readonly seq: number;
}

/** A table of rows with writers, of which some rows are not to be seen yet. */
function table(seen: number[], writers: { oldest: number; next: number } | null) {
  return async (after: number, limit: number) => {
    const rows: Row[] = seen
      .filter((seq) => seq > after)
      .sort((a, b) => a - b)
      .slice(0, limit)
      .map((seq) => ({ seq }));
    return { rows, writers: rows.length === 0 ? null : writers, hasMore: rows.length === limit };
  };
}

function clockAt(at: { ms: number }) {
  return { ...systemClock, monotonic: () => at.ms };
}

const seqs = (rows: readonly Row[]): number[] => rows.map(({ seq }) => seq);

test('where numbers appear in order, each row is told once and settled at once', async () => {
  const seen = [1, 2, 3];
  const follower = new Follower<Row>(table(seen, null), systemClock, 1);
  expect(seqs(await follower.next())).toEqual([2, 3]);
  expect(follower.settled).toBe(3);
  expect(seqs(await follower.next())).toEqual([]);
  seen.push(4);
  expect(seqs(await follower.next())).toEqual([4]);
});

test('a row that becomes visible after higher ones is told, and the place waits for its writer', async () => {
  const at = { ms: 0 };
  const seen = [10, 12];
  const writers = { oldest: 100, next: 103 };
  const follower = new Follower<Row>(table(seen, writers), clockAt(at), 9);
  expect(seqs(await follower.next())).toEqual([10, 12]);
  expect(follower.settled).toBe(9);
  at.ms = 30_000;
  expect(seqs(await follower.next())).toEqual([]);
  expect(follower.settled).toBe(9);
  seen.push(11);
  writers.oldest = 103;
  writers.next = 104;
  expect(seqs(await follower.next())).toEqual([11]);
  expect(follower.settled).toBe(12);
  seen.push(13);
  expect(seqs(await follower.next())).toEqual([13]);
});

test('what was read a moment ago is not settled yet, for a number may be taken before its writer shows', async () => {
  const at = { ms: 0 };
  const follower = new Follower<Row>(table([5], { oldest: 7, next: 7 }), clockAt(at), 4);
  await follower.next();
  at.ms = 900;
  await follower.next();
  expect(follower.settled).toBe(4);
  at.ms = 1_000;
  await follower.next();
  expect(follower.settled).toBe(5);
});

test('more unsettled rows than fit a page are all read', async () => {
  const seen = Array.from({ length: 5_500 }, (_, index) => index + 1);
  const follower = new Follower<Row>(table(seen, { oldest: 1, next: 9 }), systemClock, 0);
  expect(await follower.next()).toHaveLength(5_500);
  seen.push(5_501);
  expect(seqs(await follower.next())).toEqual([5_501]);
});

test('a writer that does not end for a minute holds nothing back any more', async () => {
  const at = { ms: 0 };
  const follower = new Follower<Row>(table([5, 6], { oldest: 7, next: 9 }), clockAt(at), 4);
  await follower.next();
  at.ms = 59_000;
  await follower.next();
  expect(follower.settled).toBe(4);
  at.ms = 60_000;
  await follower.next();
  expect(follower.settled).toBe(6);
});
