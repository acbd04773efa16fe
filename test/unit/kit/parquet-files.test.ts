import { existsSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { parquet, parquetGroups, writeParquet } from 'batuta/streams';
import { parquetWriteFile } from 'hyparquet-writer';
import { ParquetEncoder } from '../../../src/kit/streams/parquet-encoder.ts';
import { all, upTo } from '../../support/all-records.ts';

const folder = mkdtempSync(join(tmpdir(), 'batuta-parquet-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a descriptor of this process is open for; '' once it is closed. */
const linkOf = (fd: string): string => {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
};

describe('parquet that is read', () => {
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
    const text = join(folder, 'rows.csv');
    writeFileSync(text, 'id,text\n1,a\n');
    for (const bad of [half, text])
      await expect(all(parquet(bad))).rejects.toMatchObject({
        code: 'RECORD_INVALID',
        message: expect.stringContaining(`${bad} is no whole Parquet file`),
      });
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
