import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { type BadRecord, csv, lines, ndjson, toCsv, toNdjson } from 'batuta/streams';
import { all, upTo } from '../../support/all-records.ts';

const folder = mkdtempSync(join(tmpdir(), 'batuta-texts-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

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
    const message: unknown = expect.stringContaining('x.csv:2 is not utf-8 at byte 3');
    const broken = { code: 'RECORD_INVALID', message, details: { bytes: 3, line: 2 } };
    await expect(all(lines([bytes('a\n'), bytes('b\xE4c', 'latin1')], { name: 'x.csv' }))).rejects.toMatchObject(broken);
    // A character that is cut between two pieces, and one that goes wrong there.
    expect(await all(lines([bytes('a€b').subarray(0, 2), bytes('a€b').subarray(2)]))).toEqual(['a€b']);
    await expect(all(lines([bytes('a€').subarray(0, 3), bytes('b')], { name: 'x.csv' }))).rejects.toMatchObject({ details: { bytes: 1 } });
    await expect(all(lines([bytes('a€').subarray(0, 2), bytes('a€b').subarray(2), bytes('\xFF', 'latin1')]))).rejects.toMatchObject({
      details: { bytes: 5 },
    });
    expect(await all(lines([bytes('b\xE4c', 'latin1')], { encoding: 'latin1' }))).toEqual(['bäc']);
    await expect(all(lines(['aaaa', 'aaaa'], { maxLine: 6 }))).rejects.toMatchObject({ code: 'RECORD_INVALID', details: { line: 1 } });
  });

  test('what comes before bytes that are no text is given first', async () => {
    const text = bytes(`\uFEFF${upTo(20_000).join('\n')}\n\uFEFFnöt ok: `);
    const whole = [...upTo(20_000).map(String)];
    for (const pieces of [[text], [text.subarray(0, 20_001), text.subarray(20_001)]]) {
      const given: string[] = [];
      const read = async (): Promise<void> => {
        for await (const line of lines([...pieces.slice(0, -1), Buffer.concat([pieces.at(-1) ?? text, Buffer.of(0xe4, 0x0a, 0x31, 0x0a)])]))
          given.push(line);
      };
      await expect(read()).rejects.toMatchObject({ details: { line: 20_001, bytes: text.length } });
      expect(given).toEqual(whole);
    }
    // A mark that is no byte order mark stays, and a character cut between two pieces is whole.
    const given: string[] = [];
    const read = async (): Promise<void> => {
      for await (const line of lines([
        bytes('a\nb€').subarray(0, 4),
        Buffer.concat([bytes('b€').subarray(2), bytes('\n\uFEFFc\n'), Buffer.of(0xff)]),
      ]))
        given.push(line);
    };
    await expect(read()).rejects.toMatchObject({ details: { line: 4 } });
    expect(given).toEqual(['a', 'b€', '\uFEFFc']);
  });

  test.each([
    ['gzip', gzipSync('a,b\n1,2\n'), 'is compressed with gzip; decompress it first, with createGunzip of node:zlib'],
    ['a ZIP archive', Buffer.from('PK\u0003\u0004…'), 'is a ZIP archive'],
    ['Parquet', Buffer.from('PAR1\u0015\u0004'), 'is a Parquet file, not text; read it with parquet()'],
  ])('a file of %s says what it is', async (_what, content, message) => {
    const refused = { code: 'RECORD_INVALID', message: expect.stringContaining(`x.bin ${message}`) as string };
    await expect(all(csv(content, { name: 'x.bin' }))).rejects.toMatchObject(refused);
    await expect(all(ndjson([content.subarray(0, 1), content.subarray(1)], { name: 'x.bin' }))).rejects.toMatchObject(refused);
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

  test('is CSV with all fields or none: one that the first record lacks is refused, unless the columns are named', async () => {
    const rows = [...upTo(300).map((a) => ({ a })), { a: 1, b: 2 }];
    await expect(text(toCsv(rows))).rejects.toMatchObject({
      code: 'RECORD_INVALID',
      message: expect.stringContaining('toCsv, record 300 has the field "b", which the first record lacks'),
    });
    expect(await text(toCsv(rows, { columns: ['a'] }))).toMatch(/^a\n0\n/);
    expect(await text(toCsv([{ a: 1, b: 2 }, { a: 3 }]))).toBe('a,b\n1,2\n3,\n');
  });

  test('is one JSON value a line, and what is no JSON fails', async () => {
    const rows = upTo(300).map((id) => ({ id, text: 'ä\n' }));
    expect(await all(ndjson([await text(toNdjson(rows))]))).toEqual(rows);
    expect(await text(toNdjson([]))).toBe('');
    const cycle: unknown[] = [];
    cycle.push(cycle);
    for (const [record, why] of [
      [undefined, 'it is undefined'],
      [1n, 'Do not know how to serialize a BigInt'],
      [cycle, 'Converting circular structure to JSON'],
    ]) {
      const message: unknown = expect.stringContaining(`toNdjson, record 300 cannot be written as JSON: ${String(why)}`);
      await expect(text(toNdjson([...rows, record]))).rejects.toMatchObject({ code: 'RECORD_INVALID', message });
    }
  });
});
