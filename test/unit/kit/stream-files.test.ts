import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type BadRecord, csv, lines, ndjson, parquet, parquetGroups, toCsv, toNdjson, writeParquet } from 'batuta/streams';
import { parquetWriteFile } from 'hyparquet-writer';
import { ParquetEncoder } from '../../../src/kit/streams/parquet-encoder.ts';
import { all, upTo } from '../../support/all-records.ts';

const folder = mkdtempSync(join(tmpdir(), 'batuta-kit-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a descriptor of this process is open for; '' once it is closed. */
const linkOf = (fd: string): string => {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
};

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

  test('a pipe whose writer is silent is left at once', async () => {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    const writer = openSync(path, 'r+');
    writeSync(writer, 'a\n');
    for await (const line of lines(path)) {
      expect(line).toBe('a');
      break;
    }
    closeSync(writer);
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
    expect(bad).toMatchObject([{ line: 3, text: '2,b,c' }]);
    const more: BadRecord[] = [];
    const text = ['# by hand\n\nid,text\n', '# of two lines\n1,"a\nb",c\n2,d\n3'];
    expect(await all(csv(text, { comment: '#', onBad: (record) => more.push(record) }))).toEqual([{ id: '2', text: 'd' }]);
    expect(more.map((record) => record.text)).toEqual(['1,"a\nb",c', '3']);
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

describe('text made of records', () => {
  const text = async (pieces: AsyncIterable<string>): Promise<string> => (await all(pieces)).join('');
  test('is CSV that is read as it was', async () => {
    const rows = upTo(600).map((id) => ({ id: String(id), text: `a "quoted", ${id}\nline` }));
    const pieces = await all(toCsv(rows));
    expect(pieces).toHaveLength(3);
    expect(await all(csv(pieces))).toEqual(rows);
  });

  test.each<[string, Parameters<typeof toCsv>, string]>([
    ['with the columns that are wanted', [[{ a: 1, b: 2, c: 3 }], { columns: ['c', 'a', 'none'] }], 'c,a,none\n3,1,\n'],
    [
      'of other values',
      [[{ a: null, b: undefined, c: true, d: new Date(0), e: [1], f: 5n }]],
      'a,b,c,d,e,f\n,,true,1970-01-01T00:00:00.000Z,[1],5\n',
    ],
    ['without a header', [[{ a: 1 }], { header: false, delimiter: ';' }], '1\n'],
    ['of no records with columns', [[], { columns: ['a', 'b'] }], 'a,b\n'],
    ['of no records', [[]], ''],
    ['without formulas', [[{ a: '=1+1' }], { escapeFormulas: true }], "a\n'=1+1\n"],
  ])('%s', async (_what, given, expected) => {
    expect(await text(toCsv(...given))).toBe(expected);
  });

  test('is one JSON value a line, and what is no JSON fails', async () => {
    const rows = upTo(300).map((id) => ({ id, text: 'ä\n' }));
    expect(await all(ndjson([await text(toNdjson(rows))]))).toEqual(rows);
    expect(await text(toNdjson([]))).toBe('');
    await expect(text(toNdjson([undefined]))).rejects.toThrow('A record that is undefined is no JSON');
    await expect(text(toNdjson([1n]))).rejects.toThrow(TypeError);
  });
});

describe('parquet that is written', () => {
  test('leaves no file behind, nor one open, where it cannot begin', async () => {
    const place = join(folder, 'unbegun');
    const opening = vi.spyOn(ParquetEncoder, 'open').mockRejectedValueOnce(new Error('no such package'));
    onTestFinished(() => opening.mockRestore());
    await expect(writeParquet([{ id: 1 }], join(place, 'a.parquet'), { columns: { id: 'INT32' } })).rejects.toThrow('no such package');
    expect(readdirSync(place)).toEqual([]);
    const open = existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').map(linkOf) : [];
    expect(open.filter((path) => path.startsWith(place))).toEqual([]);
  });

  const columns = { id: 'INT32', big: 'INT64', ratio: 'DOUBLE', text: 'STRING', at: 'TIMESTAMP', is: 'BOOLEAN', more: 'JSON' } as const;
  const rowOf = (id: number) => ({
    ...{ id, big: BigInt(id) * 10n ** 12n, ratio: id / 3, text: `t${id}`, at: new Date(id * 86_400_000) },
    ...{ is: id % 2 === 0, more: { list: [id] } },
  });

  test('is read as it was, by row groups of the size that was wanted', async () => {
    const path = join(folder, 'new', 'folder', 'a.parquet');
    const rows = upTo(25).map(rowOf);
    const written = await writeParquet(rows, path, { columns, rowsPerGroup: 10 });
    expect(written).toEqual([{ path, rows: 25, bytes: statSync(path).size }]);
    const groups = await all(parquetGroups(path));
    expect(groups.map((group) => group.rows.length)).toEqual([10, 10, 5]);
    expect(groups.flatMap((group) => group.rows)).toEqual(rows);
  });

  test('takes missing values as null, whole numbers as 64 bits, and no records at all', async () => {
    const path = join(folder, 'nulls.parquet');
    await writeParquet<{ id: number; text?: string | null; other?: number }>([{ id: 1 }, { id: 2, text: null, other: 9 }], path, {
      columns: { id: 'INT64', text: 'STRING' },
    });
    expect(await all(parquet(path))).toEqual([
      { id: 1n, text: null },
      { id: 2n, text: null },
    ]);
    expect(await writeParquet<{ id: number }>([], path, { columns: { id: 'INT32' } })).toMatchObject([{ rows: 0 }]);
    expect(await all(parquet(path))).toEqual([]);
  });

  test('goes to several files by what each record says', async () => {
    const pathOf = (name: string): string => join(folder, 'parts', `${name}.parquet`);
    const written = await writeParquet(upTo(10).map(rowOf), ({ is }) => pathOf(is ? 'even' : 'odd'), { columns: { id: 'INT32' } });
    expect(written).toMatchObject([
      { path: pathOf('even'), rows: 5 },
      { path: pathOf('odd'), rows: 5 },
    ]);
    expect(await all(parquet(pathOf('odd')))).toEqual([1, 3, 5, 7, 9].map((id) => ({ id })));
    await expect(
      writeParquet(upTo(10).map(rowOf), ({ id }) => pathOf(`file${id}`), { columns: { id: 'INT32' }, maxFiles: 3 }),
    ).rejects.toMatchObject({ code: 'OPTION_INVALID', message: expect.stringContaining('would be file 4') });
    expect(readdirSync(join(folder, 'parts')).toSorted()).toEqual(['even.parquet', 'odd.parquet']);
  });

  test.each<[string, string, unknown]>([
    ['INT32', 'a fraction', 1.5],
    ['INT32', 'more than it holds', 2 ** 31],
    ['INT64', 'more than it holds', 2n ** 63n],
    ['DOUBLE', 'a text', '1'],
    ['STRING', 'a number', 1],
    ['BOOLEAN', 'a number', 0],
    ['TIMESTAMP', 'a date that is none', new Date(Number.NaN)],
    ['TIMESTAMP', 'a text', '2026-01-01'],
    ['JSON', 'a bigint', 1n],
    ['BYTE_ARRAY', 'a text', 'a'],
    ['UUID', 'another text', 'a'],
  ])('refuses in a column of %s %s, with file, record and column, and leaves what was there', async (type, _what, value) => {
    const path = join(folder, 'kept', 'kept.parquet');
    await writeParquet([{ id: 1 }], path, { columns: { id: 'INT32' } });
    const before = readFileSync(path);
    await expect(writeParquet([{ v: null }, { v: value }], path, { columns: { v: type as 'INT32' } })).rejects.toMatchObject({
      code: 'RECORD_INVALID',
      message: expect.stringMatching(new RegExp(`kept\\.parquet, record 1 has .* in the column 'v' of ${type}`)),
      details: { source: path, record: 1 },
    });
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(join(folder, 'kept'))).toEqual(['kept.parquet']);
  });

  test.each([
    [{}, 'names no column'],
    [{ a: 'DECIMAL' }, "the column 'a' has the type DECIMAL"],
  ])('refuses the columns %j', async (wrong, message) => {
    await expect(writeParquet([], join(folder, 'x.parquet'), { columns: wrong as never })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringContaining(message),
    });
  });

  test('of a source that fails is not there, and the source is closed', async () => {
    let isClosed = false;
    async function* failing(): AsyncGenerator<{ id: number }> {
      try {
        yield { id: 1 };
        throw new Error('no more');
      } finally {
        isClosed = true;
      }
    }
    const inside = join(folder, 'failed');
    await expect(writeParquet(failing(), join(inside, 'a.parquet'), { columns: { id: 'INT32' }, rowsPerGroup: 1 })).rejects.toThrow(
      'no more',
    );
    expect([isClosed, readdirSync(inside)]).toEqual([true, []]);
  });
});
