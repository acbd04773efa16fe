import { describe, expect, test } from 'vitest';
import { batch, filter, keyedRows, pgRows, map, merge, paginate, tee, window } from 'batuta/streams';
import { all, upTo } from '../../support/all-records.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('batch and window', () => {
  test.each([
    [0, 3, []],
    [3, 3, [[0, 1, 2]]],
    [5, 2, [[0, 1], [2, 3], [4]]],
  ])('%i records in groups of %i', async (count, size, groups) => {
    expect(await all(batch(upTo(count), size))).toEqual(groups);
  });

  test('a group that is not full is given after its time, and what was asked for meanwhile is not lost', async () => {
    const waiting: (() => void)[] = [];
    async function* slow(): AsyncGenerator<number> {
      yield 1;
      yield 2;
      await new Promise<void>((resolve) => void waiting.push(resolve));
      yield 3;
    }
    const groups = batch(slow(), 10, { within: 20 })[Symbol.asyncIterator]();
    expect(await groups.next()).toEqual({ done: false, value: [1, 2] });
    waiting[0]?.();
    expect(await groups.next()).toEqual({ done: false, value: [3] });
    expect((await groups.next()).done).toBe(true);
  });

  test.each([
    [
      5,
      3,
      1,
      [
        [0, 1, 2],
        [1, 2, 3],
        [2, 3, 4],
      ],
    ],
    [
      7,
      2,
      3,
      [
        [0, 1],
        [3, 4],
      ],
    ],
    [
      4,
      2,
      2,
      [
        [0, 1],
        [2, 3],
      ],
    ],
    [2, 3, 1, []],
  ])('windows over %i records, %i wide, %i apart', async (count, size, step, groups) => {
    expect(await all(window(upTo(count), size, step))).toEqual(groups);
  });

  test.each([0, -1, 1.5, Number.NaN])('a size of %s is refused', (size) => {
    expect(() => batch([], size)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    expect(() => window([], 2, size)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });
});

describe('map and filter', () => {
  test('one by one, in order', async () => {
    expect(await all(map(upTo(4), (n) => n * 2))).toEqual([0, 2, 4, 6]);
    expect(await all(filter(upTo(6), async (n) => n % 2 === 1))).toEqual([1, 3, 5]);
  });

  test.each([true, false])('several at a time, never more, ordered: %s', async (ordered) => {
    let now = 0;
    let most = 0;
    const make = async (n: number): Promise<number> => {
      most = Math.max(most, ++now);
      for (let turns = 8 - n; turns > 0; turns--) await turn();
      now--;
      return n;
    };
    const made = await all(map(upTo(8), make, { concurrency: 3, ordered }));
    expect(ordered ? made : made.toSorted()).toEqual(upTo(8));
    if (!ordered) expect(made).not.toEqual(upTo(8));
    expect(most).toBe(3);
  });

  test.each([true, false])('a call that fails ends it with its error, once those under way have ended, ordered: %s', async (ordered) => {
    let ended = 0;
    const make = async (n: number): Promise<number> => {
      if (n === 1) throw new Error('one');
      await turn();
      ended++;
      return n;
    };
    await expect(all(map(upTo(100), make, { concurrency: 4, ordered }))).rejects.toThrow('one');
    expect(ended).toBeLessThan(10);
  });
});

describe('merge and tee', () => {
  test('merge gives what is there first, each stream in its order', async () => {
    async function* every(turns: number, name: string): AsyncGenerator<string> {
      for (let at = 0; at < 3; at++) {
        for (let left = turns; left > 0; left--) await turn();
        yield `${name}${at}`;
      }
    }
    const merged = await all(merge(every(5, 'slow'), every(1, 'fast'), []));
    expect(merged.slice(0, 2)).toEqual(['fast0', 'fast1']);
    expect(merged.filter((name) => name.startsWith('slow'))).toEqual(['slow0', 'slow1', 'slow2']);
    expect(merged).toHaveLength(6);
  });

  test('tee gives each reader every record, the fastest never further ahead than the buffer', async () => {
    let given = 0;
    async function* rows(): AsyncGenerator<number> {
      for (; given < 50; given++) yield given;
    }
    const [slow, fast] = tee(rows(), 2, 4) as [AsyncIterable<number>, AsyncIterable<number>];
    const reading = all(fast);
    for (let turns = 0; turns < 20; turns++) await turn();
    expect(given).toBeLessThanOrEqual(5);
    expect([await all(slow), await reading]).toEqual([upTo(50), upTo(50)]);
  });

  test('a tee of which one reader stops goes on for the other', async () => {
    const [first, second] = tee(upTo(50), 2, 4) as [AsyncIterable<number>, AsyncIterable<number>];
    const stop = (async () => {
      for await (const n of first) if (n === 1) break;
    })();
    expect(await all(second)).toEqual(upTo(50));
    await stop;
  });
});

describe('pages', () => {
  const pages = [
    { records: [1, 2], next: 1 },
    { records: [], next: 2 },
    { records: [3], next: null },
  ];
  test('paginate goes on to the last page, from any', async () => {
    const fetched: (number | undefined)[] = [];
    const fetchPage = (cursor?: number) => {
      fetched.push(cursor);
      return pages[cursor ?? 0] as (typeof pages)[number];
    };
    expect(await all(paginate(fetchPage))).toEqual([1, 2, 3]);
    expect(await all(paginate(fetchPage, 2))).toEqual([3]);
    expect(fetched).toEqual([undefined, 1, 2, 2]);
  });

  test('a page that names itself as the next is refused', async () => {
    await expect(all(paginate<number, number>(() => ({ records: [], next: 7 })))).rejects.toMatchObject({ code: 'RECORD_INVALID' });
  });

  test('rows of PostgreSQL fail with why the connection was lost, not with the end of its transaction', async () => {
    const asked: string[] = [];
    const client = {
      async query(text: string): Promise<{ rows: object[] }> {
        asked.push(text.split(' ')[0] ?? '');
        if (text.startsWith('fetch')) throw new Error('terminating connection due to administrator command');
        if (text === 'rollback') throw new Error('Client has encountered a connection error and is not queryable');
        return { rows: [] };
      },
    };
    await expect(all(pgRows(client, 'select 1'))).rejects.toThrow('terminating connection');
    expect(asked).toEqual(['begin', 'declare', 'fetch', 'rollback']);
  });

  test('keyed rows come by pages, none twice', async () => {
    const rows = upTo(7);
    const after = (key: number | undefined, size: number): number[] => rows.filter((n) => n > (key ?? -1)).slice(0, size);
    expect(await all(keyedRows(after, (n) => n, { size: 3 }))).toEqual(rows);
    expect(await all(keyedRows(after, (n) => n, { size: 3, after: 4 }))).toEqual([5, 6]);
  });
});
