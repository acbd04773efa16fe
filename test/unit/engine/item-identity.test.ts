import { describe, expect, test } from 'vitest';
import { itemHash, itemText, matchItems } from '../../../src/engine/graph/item-identity.ts';
import { taskRun } from '../../contract/store/rows.ts';

const hashOf = (item: unknown): string => itemHash(item, itemText(item));

describe('matching recorded items', () => {
  test('items that differ have other hashes, equal ones the same', () => {
    const items = [
      1,
      '1',
      1n,
      true,
      null,
      undefined,
      'a',
      ['a'],
      { a: 1 },
      { a: '1' },
      new Date(1),
      new Date(2),
      new Map([['a', 1]]),
      Number.NaN,
      -1,
    ];
    expect(new Set(items.map(hashOf)).size).toBe(items.length);
    expect(hashOf({ a: [new Date(1)] })).toBe(hashOf({ a: [new Date(1)] }));
  });

  test('a hundred thousand items whose list has moved by one are matched one by one, each row once', async () => {
    const count = 100_000;
    const rows = Array.from({ length: count }, (_, index) => taskRun('run', `t[${index}]`, { index, itemHash: String(index % 1_000) }));
    const hashes = ['new', ...rows.map((row) => String(row.itemHash))];
    const matched = await matchItems(rows, hashes);
    expect(matched[0]).toBeUndefined();
    expect(new Set(matched.slice(1)).size).toBe(count);
    for (const [index, row] of matched.entries()) if (row) expect(row.itemHash).toBe(hashes[index]);
  });
});
