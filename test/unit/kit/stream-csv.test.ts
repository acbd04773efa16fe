/** CSV as a source: what its rows are, and where a broken one is. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type BadRecord, csv } from 'batuta/streams';
import { all, upTo } from '../../support/all-records.ts';

const folder = mkdtempSync(join(tmpdir(), 'batuta-csv-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

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
