import { mkdtempSync, rmSync, truncateSync, writeFileSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, describe, expect, test } from 'vitest';
import {
  type BadRecord,
  batch,
  csv,
  filter,
  keyedRows,
  lines,
  map,
  merge,
  ndjson,
  paginate,
  parquet,
  parquetGroups,
  tee,
  window,
} from 'batuta/streams';
import { parquetWriteFile } from 'hyparquet-writer';

const folder = mkdtempSync(join(tmpdir(), 'batuta-kit-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const all = async <T>(stream: AsyncIterable<T>): Promise<T[]> => {
  const list: T[] = [];
  for await (const item of stream) list.push(item);
  return list;
};
const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at);
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

describe('lines and ndjson', () => {
  const bytes = (text: string, encoding: BufferEncoding = 'utf8'): Buffer => Buffer.from(text, encoding);
  const cut = (buffer: Buffer): Buffer[] => [...buffer].map((byte) => Buffer.from([byte]));
  test.each<[string, Parameters<typeof lines>[0], string[]]>([
    ['with both kinds of ends', [bytes('a\nb\r\nc')], ['a', 'b', 'c']],
    ['with an empty line and a last end', ['a\n', '\nb\n'], ['a', '', 'b']],
    ['with a byte order mark, cut in every byte', cut(bytes('\uFEFFä\n€\n')), ['ä', '€']],
    ['in UTF-16 by its mark', [bytes('\uFEFFä\nb', 'utf16le')], ['ä', 'b']],
    ['of nothing', [], []],
    ['of bytes', bytes('a\nb'), ['a', 'b']],
    ['of a stream of Node', Readable.from([bytes('a\nb')]), ['a', 'b']],
    ['of a response', new Response('a\nb'), ['a', 'b']],
    ['of a web stream', new Blob(['a\nb']).stream() as ReadableStream<Uint8Array>, ['a', 'b']],
  ])('%s', async (_what, source, expected) => {
    expect(await all(lines(source))).toEqual(expected);
  });

  test('of a file, and of its URL', async () => {
    const path = join(folder, 'a.txt');
    writeFileSync(path, 'a\nb\n');
    expect(await all(lines(path))).toEqual(['a', 'b']);
    expect(await all(lines(new URL(`file://${path}`)))).toEqual(['a', 'b']);
    await expect(all(lines(join(folder, 'none.txt')))).rejects.toThrow('ENOENT');
  });

  test('bytes that are no text, and a line without end, are refused with the place', async () => {
    const broken = { code: 'RECORD_INVALID', message: expect.stringContaining('x.csv is not utf-8 between bytes 2 and 5') };
    await expect(all(lines([bytes('a\n'), bytes('b\xE4c', 'latin1')], { name: 'x.csv' }))).rejects.toMatchObject(broken);
    expect(await all(lines([bytes('b\xE4c', 'latin1')], { encoding: 'latin1' }))).toEqual(['bäc']);
    await expect(all(lines(['aaaa', 'aaaa'], { maxLine: 6 }))).rejects.toMatchObject({ code: 'RECORD_INVALID', details: { line: 1 } });
  });

  test('ndjson gives values, and says which line is none or hands it over', async () => {
    expect(await all(ndjson(['{"a":1}\n\n[2]\n"x"']))).toEqual([{ a: 1 }, [2], 'x']);
    await expect(all(ndjson(['{"a":1}\n{"a":'], { name: 'x.ndjson' }))).rejects.toMatchObject({
      code: 'RECORD_INVALID',
      message: expect.stringContaining('x.ndjson:2 is no JSON'),
      details: { line: 2, source: 'x.ndjson' },
    });
    const bad: BadRecord[] = [];
    expect(await all(ndjson(['1\nnope\n3'], { onBad: (record) => bad.push(record) }))).toEqual([1, 3]);
    expect(bad).toMatchObject([{ line: 2, text: 'nope' }]);
  });
});

describe('csv', () => {
  test('rows by the names of their columns, quotes and line breaks in them', async () => {
    expect(await all(csv(['\uFEFFid,text\n1,"a,""b""\nc"\n\n', '2,x\n']))).toEqual([
      { id: '1', text: 'a,"b"\nc' },
      { id: '2', text: 'x' },
    ]);
    expect(await all(csv(['1;2'], { columns: ['a', 'b'], delimiter: ';' }))).toEqual([{ a: '1', b: '2' }]);
    expect(await all(csv(['1,2'], { columns: false }))).toEqual([['1', '2']]);
  });

  test('a broken row is refused with file and line, or handed over', async () => {
    const path = join(folder, 'broken.csv');
    writeFileSync(path, 'id,text\n1,a\n2,b,c\n3,d\n');
    await expect(all(csv(path))).rejects.toMatchObject({
      code: 'RECORD_INVALID',
      message: expect.stringContaining(`${path}:3 cannot be read`),
      details: { line: 3 },
    });
    const bad: BadRecord[] = [];
    expect(await all(csv(path, { onBad: (record) => bad.push(record) }))).toEqual([
      { id: '1', text: 'a' },
      { id: '3', text: 'd' },
    ]);
    expect(bad).toMatchObject([{ line: 3 }]);
  });

  test('a quote that stays open is refused', async () => {
    await expect(all(csv(['id\n1\n"2']))).rejects.toMatchObject({ code: 'RECORD_INVALID' });
  });

  test('a file that cannot be read fails it, and one that is left early is closed', async () => {
    await expect(all(csv(join(folder, 'none.csv')))).rejects.toThrow('ENOENT');
    const path = join(folder, 'long.csv');
    writeFileSync(path, `id\n${upTo(200_000).join('\n')}`);
    for await (const row of csv<{ id: string }>(path)) if (row.id === '3') break;
    expect((await all(csv(path))).length).toBe(200_000);
  });
});

describe('parquet', () => {
  const path = join(folder, 'rows.parquet');
  parquetWriteFile({
    filename: path,
    columnData: [
      { name: 'id', type: 'INT32', data: upTo(10) },
      { name: 'text', type: 'STRING', data: upTo(10).map(String) },
    ],
    rowGroupSize: 4,
  });

  test('rows by groups, from any row on, some columns', async () => {
    const groups = await all(parquetGroups(path));
    expect(groups.map(({ from, total, rows }) => [from, total, rows.length])).toEqual([
      [0, 10, 4],
      [4, 10, 4],
      [8, 10, 2],
    ]);
    expect(await all(parquet(path, { columns: ['id'], from: 7 }))).toEqual([{ id: 7 }, { id: 8 }, { id: 9 }]);
    await expect(all(parquet(path, { columns: ['nope'] }))).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringContaining("no column 'nope'"),
    });
  });

  test('a file that is cut, and one that is none, are refused by name', async () => {
    const half = join(folder, 'half.parquet');
    writeFileSync(half, readFileSync(path));
    truncateSync(half, 60);
    for (const bad of [half, join(folder, 'broken.csv')])
      await expect(all(parquet(bad))).rejects.toMatchObject({
        code: 'RECORD_INVALID',
        message: expect.stringContaining(`${bad} is no whole Parquet file`),
      });
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

  test('keyed rows come by pages, none twice', async () => {
    const rows = upTo(7);
    const after = (key: number | undefined, size: number): number[] => rows.filter((n) => n > (key ?? -1)).slice(0, size);
    expect(await all(keyedRows(after, (n) => n, { size: 3 }))).toEqual(rows);
    expect(await all(keyedRows(after, (n) => n, { size: 3, after: 4 }))).toEqual([5, 6]);
  });
});
