import { describe, expect, test } from 'vitest';
import { compareArtifacts } from '../../../src/model/compare-artifacts.ts';
import { compareTables } from '../../../src/model/compare-tables.ts';
import { compareTexts } from '../../../src/model/compare-texts.ts';

describe('two tables', () => {
  const before = [
    { code: 'AA', n: 1, old: true },
    { code: 'BB', n: 2, old: true },
    { code: 'CC', n: 3, old: true },
  ];
  const after = [
    { code: 'CC', n: 4, fresh: 1 },
    { code: 'AA', n: 1, fresh: 1 },
    { code: 'DD', n: 5, fresh: 1 },
  ];

  test('are matched by the first column that tells all rows apart, in whatever order they stand', () => {
    expect(compareTables(before, after)).toEqual({
      isSame: false,
      by: 'code',
      addedColumns: ['fresh'],
      removedColumns: ['old'],
      added: [{ code: 'DD', n: 5, fresh: 1 }],
      removed: [{ code: 'BB', n: 2, old: true }],
      changed: [{ row: 'CC', cells: [{ column: 'n', before: 3, after: 4 }] }],
      same: 1,
    });
  });

  test('are matched by their places where no column does, and by the column that is asked for', () => {
    const twice = [{ n: 1 }, { n: 1 }];
    expect(compareTables(twice, [{ n: 1 }, { n: 2 }, { n: 2 }])).toMatchObject({
      by: null,
      added: [{ n: 2 }],
      changed: [{ row: 2, cells: [{ before: 1, after: 2 }] }],
    });
    expect(compareTables(before, after, 'n').by).toBe('n');
    expect(() => compareTables(twice, twice, 'n')).toThrow(expect.objectContaining({ code: 'ARTIFACT_INVALID' }));
  });

  test('of which one is empty, or that are the same, are told so', () => {
    expect(compareTables([], after)).toMatchObject({ isSame: false, added: after, addedColumns: [] });
    expect(compareTables(before, structuredClone(before))).toMatchObject({ isSame: true, same: 3 });
    expect(compareTables([], [])).toMatchObject({ isSame: true });
  });

  test('that name columns as every object does are compared by their own values', () => {
    const [a, b] = [
      [{ id: 1 }, { id: 2, constructor: 'x' }],
      [
        { id: 1, toString: 'y' },
        { id: 2, constructor: 'x' },
      ],
    ] as const;
    expect(compareTables(a, b)).toMatchObject({ isSame: false, addedColumns: ['toString'], changed: [], same: 2 });
    expect(compareTables(a, [{ id: 1, constructor: 'z' }, a[1]]).changed).toEqual([
      { row: 1, cells: [{ column: 'constructor', before: null, after: 'z' }] },
    ]);
  });

  test('of as many columns as rows are compared by what each row has', () => {
    const rows = Array.from({ length: 20_000 }, (_, at) => ({ id: at, [`c${at}`]: at }));
    const { [`c7`]: _gone, ...without } = rows[7] as Record<string, number>;
    expect(compareTables(rows, rows.with(7, { ...without, c8: 1 } as never))).toMatchObject({
      removedColumns: ['c7'],
      changed: [{ row: 7, cells: [{ column: 'c8', before: null, after: 1 }] }],
      same: 19_999,
    });
  });

  test('of 50,000 rows each are compared', () => {
    const rows = Array.from({ length: 50_000 }, (_, id) => ({ id, n: id % 7 }));
    expect(
      compareTables(
        rows,
        rows.toReversed().map((row) => (row.id === 9 ? { ...row, n: -1 } : row)),
      ),
    ).toMatchObject({ same: 49_999, changed: [{ row: 9 }] });
  });
});

describe('two texts', () => {
  test('are compared line by line', () => {
    const { parts, added, removed } = compareTexts('a\nb\nc\n', 'a\nx\ny\nc\n');
    expect([added, removed]).toEqual([2, 1]);
    expect(parts.map(({ is, lines }) => [is, lines])).toEqual([
      ['same', ['a']],
      ['removed', ['b']],
      ['added', ['x', 'y']],
      ['same', ['c']],
    ]);
    expect(compareTexts('a\n', 'a\n')).toMatchObject({ isSame: true, added: 0, removed: 0 });
  });

  test('that have too little in common end in time, as wholes', () => {
    const text = (from: number): string => Array.from({ length: 60_000 }, (_, at) => `${from + at * 7}`).join('\n');
    const { isWhole, added, removed } = compareTexts(text(0), text(1));
    expect([isWhole, added, removed]).toEqual([true, 60_000, 60_000]);
  });
});

describe('two artifacts', () => {
  const one = (kind: never, data: unknown) => ({ id: 'a', kind, name: 'a', data });

  test('of different kinds are not compared', () => {
    expect(() => compareArtifacts(one('table' as never, []), one('json' as never, []))).toThrow(
      expect.objectContaining({ code: 'ARTIFACT_INVALID' }),
    );
  });

  test('that are files differ in what is recorded of them; charts in their values; JSON in its lines', () => {
    const file = { fileName: 'a.csv', type: 'text/csv', bytes: 3, sha256: 'x' };
    expect(compareArtifacts(one('file' as never, file), one('file' as never, { ...file, bytes: 4, sha256: 'y' }))).toMatchObject({
      as: 'facts',
      facts: [{ fact: 'bytes', before: 3, after: 4 }, { fact: 'sha256' }],
    });
    const chart = (value: number) => ({ type: 'line', axis: 'number', x: [1, 2], series: [{ name: 'n', values: [1, value] }], unit: null });
    expect(compareArtifacts(one('chart' as never, chart(2)), one('chart' as never, chart(3)))).toMatchObject({
      as: 'table',
      table: { by: 'x', changed: [{ row: 2, cells: [{ column: 'n', before: 2, after: 3 }] }] },
    });
    // Several points at one place, and a series that is called as the axis is.
    const twice = { ...chart(2), x: [1, 1], series: [{ name: 'x', values: [1, 2] }] };
    expect(compareArtifacts(one('chart' as never, twice), one('chart' as never, { ...twice, x: [1, 3] }))).toMatchObject({
      table: { by: null, changed: [{ row: 2, cells: [{ column: 'x', before: 1, after: 3 }] }] },
    });
    const named = { ...twice, x: [1, 2] };
    expect(compareArtifacts(one('chart' as never, named), one('chart' as never, { ...named, series: chart(3).series }))).toMatchObject({
      table: { by: 'x', addedColumns: ['n'], removedColumns: ['x (series)'], same: 2 },
    });
    expect(compareArtifacts(one('json' as never, { a: 1 }), one('json' as never, { a: 2 }))).toMatchObject({ as: 'text', isSame: false });
    expect(compareArtifacts(one('image' as never, null), one('image' as never, null))).toMatchObject({ as: 'facts', isSame: true });
  });
});
