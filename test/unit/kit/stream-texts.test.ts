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

  test.each<[string, Buffer[], number]>([
    ['a row with too many values', [Buffer.from('x,y,z\nlast,1\n')], 5_002],
    ['a quote in the middle of a value', [Buffer.from('x,y"z"\nlast,1\n')], 5_002],
    ['a quote that stays open', [Buffer.from('x,"y\nlast,1\n')], 5_002],
    ['bytes that are no text', [Buffer.from('x,y\xE4\nlast,1\n', 'latin1')], 5_002],
    ['bytes that are no text, in a piece of their own', [Buffer.from('x,'), Buffer.from('\xE4y\nlast,1\n', 'latin1')], 5_002],
  ])('all rows before %s are given first', async (_what, [first = Buffer.of(), ...rest], line) => {
    const head = Buffer.from(
      `id,text\n${upTo(5_000)
        .map((id) => `${id},a\n`)
        .join('')}`,
    );
    for (const pieces of [
      [Buffer.concat([head, first]), ...rest],
      [head.subarray(0, 30_000), head.subarray(30_000), first, ...rest],
    ]) {
      const ids: string[] = [];
      const read = async (): Promise<void> => {
        for await (const { id } of csv<{ id: string }>(pieces, { name: 'x.csv' })) {
          ids.push(id);
          // Slower than the parser, which has read all of it by then.
          if (ids.length % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
      };
      await expect(read()).rejects.toMatchObject({ code: 'RECORD_INVALID', details: { source: 'x.csv', line } });
      expect(ids).toEqual(upTo(5_000).map(String));
    }
  });

  test('all rows before an error of the source itself are given first', async () => {
    async function* pieces(): AsyncGenerator<string> {
      yield 'id\n1\n2\n3\n';
      throw new Error('The line is down.');
    }
    const ids: string[] = [];
    const read = async (): Promise<void> => {
      for await (const { id } of csv<{ id: string }>(pieces())) ids.push(id);
    };
    await expect(read()).rejects.toThrow('The line is down.');
    // The last row may be half of one.
    expect(ids).toEqual(['1', '2', '3']);
  });

  test.each<[string, string, number]>([
    ['after line breaks in quotes', 'id,t\r\n1,"a\r\nb"\r\n2,"c\nd"\r\n3,x,y\r\n4,z\r\n', 6],
    ['on the first line', 'id,id\r\n1,2\r\n', 1],
    ['after empty lines and comments', 'id,t\r\n1,a\r\n\r\n# by hand\r\n\r\n3"x",a\r\n', 6],
    ['with another quote', 'id,t\n1,"a\n\n"\n3,b"x"\n', 5],
    ['with lines that end in a carriage return', 'id,t\r1,a\r2,b,c\r3,d\r', 3],
    ['at the end without a line break', 'id,t\n1,"a\nb"\n2', 4],
  ])('the line of a broken row is right %s, however the text comes', async (_what, content, line) => {
    for (const pieces of [[content], [...content], content.split(/(?<=[\r\n])/)]) {
      await expect(all(csv(pieces, { comment: '#' }))).rejects.toMatchObject({ code: 'RECORD_INVALID', details: { line } });
      const bad: BadRecord[] = [];
      await all(csv(pieces, { comment: '#', onBad: (record) => bad.push(record) })).catch(({ details }) => bad.push(details as BadRecord));
      expect(bad[0]).toMatchObject({ line });
    }
  });

  test('broken rows that are alike have the same reason, and each its own line', async () => {
    const bad: BadRecord[] = [];
    const text = `id,t\n${upTo(3_000)
      .map((id) => (id % 2 === 0 ? `${id},"a\r\nb"\n` : `${id}\n`))
      .join('')}`;
    await all(csv([text.slice(0, 10_001), text.slice(10_001)], { onBad: (record) => bad.push(record) }));
    expect(new Set(bad.map(({ reason }) => reason))).toEqual(new Set(['Invalid Record Length: columns length is 2, got 1']));
    expect(bad.map((record) => record.line)).toEqual(upTo(1_500).map((at) => 4 + 3 * at));
  });

  test('a quote that is not closed in a long file is refused where it opens, before it fills memory', async () => {
    let given = 0;
    async function* pieces(): AsyncGenerator<string> {
      yield 'id,text\n1,a\n2,"b\n';
      for (; given < 100; given++) yield '3,c\n'.repeat(1_000);
    }
    for (const onBad of [undefined, () => undefined]) {
      const ids: unknown[] = [];
      const read = async (): Promise<void> => {
        for await (const { id } of csv<{ id: string }>(pieces(), { name: 'x.csv', maxRow: 10_000, onBad })) ids.push(id);
      };
      await expect(read()).rejects.toMatchObject({
        code: 'RECORD_INVALID',
        message: expect.stringContaining('x.csv:3 begins a row of more than 10000 characters'),
      });
      expect(ids).toEqual(['1']);
    }
    expect(given).toBeLessThan(100);
  });

  test('columns of one name are refused, for a row would lose values, and can be renamed', async () => {
    const text = ['# made by hand\nid,name,name\n1,a,b\n'];
    await expect(all(csv(text, { comment: '#', name: 'x.csv' }))).rejects.toMatchObject({
      code: 'RECORD_INVALID',
      message: expect.stringContaining('x.csv:2 has two columns named "name"'),
      details: { line: 2 },
    });
    await expect(all(csv(text, { comment: '#', onBad: () => undefined }))).rejects.toMatchObject({ code: 'RECORD_INVALID' });
    await expect(all(csv(text, { columns: ['a', 'b', 'a'] }))).rejects.toMatchObject({ code: 'RECORD_INVALID' });
    const columns = (names: readonly string[]): string[] => names.map((name, at) => `${name}${at}`);
    expect(await all(csv(text, { comment: '#', columns }))).toEqual([{ id0: '1', name1: 'a', name2: 'b' }]);
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
