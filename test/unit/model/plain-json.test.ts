import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plainJsonText } from '../../../src/model/plain-json.ts';

class Point {
  x = 1;
}
class Rows extends Array<number> {}
const round: Record<string, unknown> = {};
round['self'] = [round];

describe('values kept as JSON', () => {
  test('what is accepted reads back as it was', () => {
    const anything = fc.anything({
      withNullPrototype: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withSparseArray: true,
    });
    fc.assert(
      fc.property(anything, (value) => {
        let text = '';
        try {
          text = plainJsonText(value, 'variable v');
        } catch (error) {
          expect(error).toMatchObject({ code: 'OPTION_INVALID', details: { path: expect.any(String) } });
          return;
        }
        // -0 has no text of its own; a field that is undefined counts as missing.
        expect(JSON.parse(text)).toEqual(zeros(value));
      }),
      { numRuns: 1_000 },
    );
  });

  test.each<readonly [string, unknown, string]>([
    ['a gap in a list', { rows: [1, 2].concat(new Array<number>(1), 3) }, 'rows[2]'],
    ['undefined in a list', [undefined], '[0]'],
    ['undefined itself', undefined, ''],
    ['a Map', { sizes: new Map([['a', 1]]) }, 'sizes'],
    ['a Date, which JSON would write as a text', { at: new Date(0) }, 'at'],
    ['NaN', [{ rate: Number.NaN }], '[0].rate'],
    ['a bigint', { n: 2n ** 70n }, 'n'],
    ['a function', { go: () => 1 }, 'go'],
    ['an instance', { at: [new Point()] }, 'at[0]'],
    ['a list of a class of its own', Rows.from([1]), ''],
    ['an object that inherits fields', Object.create({ a: 1 }), ''],
    ['a key that is a symbol', { a: { [Symbol('s')]: 1 } }, 'a[Symbol(s)]'],
    ['a list with fields', Object.assign([1], { total: 1 }), 'total'],
    ['what writes itself', { a: { toJSON: () => 1 } }, 'a.toJSON'],
    ['a circle', round, 'self[0]'],
  ])('%s is refused with its path', (_, value, path) => {
    expect(() => plainJsonText(value, 'variable v')).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', details: { path }, message: expect.stringContaining('variable v') }),
    );
  });

  test('an object met twice is written twice, and nesting is bounded', () => {
    const shared = { n: 1 };
    expect(plainJsonText([shared, { shared }], 'v')).toBe('[{"n":1},{"shared":{"n":1}}]');
    let deep: unknown = 1;
    for (let level = 0; level < 50_000; level++) deep = [deep];
    expect(() => plainJsonText(deep, 'v')).toThrow(/nested more than 1,000 levels deep/);
  });
});

/** With 0 for -0, and without fields that are undefined. */
function zeros(value: unknown): unknown {
  if (Object.is(value, -0)) return 0;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(zeros);
  return Object.fromEntries(Object.entries(value).flatMap(([key, inner]) => (inner === undefined ? [] : [[key, zeros(inner)]])));
}
