/** What the helpers of streams cannot work with: refused in one sentence that says where, instead of records lost or a loop without an end. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { batch, csv, keyedRows, lines, map, ndjson, paginate, parquet, toCsv, toNdjson, writeParquet } from 'batuta/streams';
import { all } from '../../support/all-records.ts';

const folder = mkdtempSync(join(tmpdir(), 'batuta-streams-refused-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'a.parquet');
const columns = { id: 'INT32' } as const;

test.each([
  ['is undefined', undefined, 'paginate: fetchPage(undefined) returned undefined, not { records, next }.'],
  ['has no records', { next: 1 }, 'paginate: fetchPage(undefined) returned { next: 1 }, not { records, next }.'],
  ['has records that are no list', { records: 5 }, 'paginate: fetchPage(undefined) returned { records: 5 }, not { records, next }.'],
])('a page that %s', async (_what, page, message) => {
  await expect(all(paginate(() => page as never))).rejects.toMatchObject({ code: 'RECORD_INVALID', message });
});

test.each([
  ['one page', 1, 'paginate: the page at 0n names itself as the next one.'],
  ['two pages', 2, 'is the next one again after 2 pages.'],
  ['seven pages', 7, 'is the next one again after 7 pages.'],
])('pages that go round in a circle of %s', async (_what, length, message) => {
  const fetched: unknown[] = [];
  const pages = paginate<number, bigint>((cursor) => {
    fetched.push(cursor);
    if (fetched.length > 100) throw new Error('without an end');
    return { records: [1], next: cursor === undefined ? 0n : (cursor + 1n) % BigInt(length) };
  });
  await expect(all(pages)).rejects.toMatchObject({ code: 'RECORD_INVALID', message: expect.stringContaining(message) });
});

test('pages whose cursors are alike at first, and not in the end', async () => {
  expect(
    await all(paginate((cursor: { n: number } = { n: 0 }) => ({ records: [cursor.n], next: cursor.n < 40 ? { n: cursor.n + 1 } : null }))),
  ).toHaveLength(41);
});

test('rows by key whose key does not grow', async () => {
  let fetched = 0;
  const rows = keyedRows(
    () => {
      if (++fetched > 100) throw new Error('without an end');
      return [{ id: 1 }, { id: 1 }];
    },
    ({ id }) => id,
    { size: 2 },
  );
  await expect(all(rows)).rejects.toMatchObject({
    code: 'RECORD_INVALID',
    message: 'keyedRows: the rows after the key 1 end at that key again.',
  });
});

test.each([Number.NaN, -1, 0.5])('Parquet from row %s', async (from) => {
  await writeParquet([{ id: 1 }], path, { columns });
  await expect(all(parquet(path, { from }))).rejects.toMatchObject({
    code: 'OPTION_INVALID',
    message: `parquet: from must be a whole number from 0, not ${from}.`,
  });
});

describe('written as Parquet', () => {
  test('records of one file under two spellings of its path are all in it', async () => {
    const written = await writeParquet(
      [{ id: 1 }, { id: 2 }, { id: 3 }],
      ({ id }) => join(folder, id === 2 ? '' : '.', 'one.parquet').replace('/one', id === 2 ? '/./one' : '/one'),
      {
        columns,
        maxFiles: 1,
      },
    );
    expect(written).toMatchObject([{ rows: 3 }]);
    expect(await all(parquet(join(folder, 'one.parquet')))).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }]);
  });

  test.each([undefined, '', 5])('a path that is %j', async (given) => {
    await expect(writeParquet([{ id: 1 }], () => given as string, { columns })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringMatching(/^writeParquet: path must return the path of a file, not /),
    });
  });

  test.each([null, undefined, 7, 'text'])('the record %j', async (record) => {
    await expect(writeParquet([{ id: 1 }, record as never], path, { columns })).rejects.toMatchObject({
      code: 'RECORD_INVALID',
      message: expect.stringMatching(/a\.parquet, record 1 is .+, not an object\.$/),
    });
  });
});

describe('written as text', () => {
  const many = (last: unknown): object[] => [...Array.from({ length: 300 }, (_, id) => ({ id })), last as object];
  const circle: { id: unknown } = { id: null };
  circle.id = circle;
  test.each<[string, unknown, string]>([
    ['null', null, 'toCsv, record 300 is null, not an object.'],
    ['a number', 7, 'toCsv, record 300 is a number, not an object.'],
    ['an invalid date', { id: new Date(Number.NaN) }, 'toCsv, record 300 cannot be written as CSV: Invalid time value.'],
    ['a circle', { id: circle }, 'toCsv, record 300 cannot be written as CSV: Converting circular structure to JSON.'],
  ])('CSV of %s', async (_what, record, message) => {
    await expect(all(toCsv(many(record)))).rejects.toMatchObject({ code: 'RECORD_INVALID', message });
  });

  test('CSV of records without fields, such as maps', async () => {
    await expect(all(toCsv([new Map([['a', 1]])]))).rejects.toMatchObject({
      code: 'RECORD_INVALID',
      message: 'toCsv, record 0 has no fields; name them in the option columns.',
    });
    expect(await all(toCsv([{}, { a: 1 }], { columns: ['a'] }))).toEqual(['a\n\n1\n']);
  });

  test('JSON is refused as before', async () => {
    await expect(all(toNdjson([circle]))).rejects.toMatchObject({ code: 'RECORD_INVALID', details: { record: 0 } });
  });
});

test.each([
  [{ delimiter: '' }, /^csv: delimiter must be a non empty string/],
  [{ delimiter: '"' }, /^csv: the delimiter and the quote are both "\\""; give/],
  [{ columns: 'ab' as never }, /^csv: columns must be a list of names, or return one, not "ab"\.$/],
  [{ columns: (() => undefined) as never }, /^csv: columns must be a list of names/],
])('CSV with the options %o', async (options, message) => {
  await expect(all(csv(['a,b\n1,2\n'], options))).rejects.toMatchObject({
    code: 'OPTION_INVALID',
    message: expect.stringMatching(message),
  });
});

test.each([undefined, null, 5, 'text', {}])('a helper over %j', async (records) => {
  for (const made of [() => batch(records as never, 2), () => map(records as never, (record) => record), () => toCsv(records as never)])
    await expect(all(made())).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringMatching(/^A helper of batuta\/streams takes a stream or a list, not .+\.$/),
    });
});

test.each<[string, () => AsyncIterable<unknown>, string, string]>([
  [
    'of an unknown encoding',
    () => csv(Buffer.from('a\n1\n'), { encoding: 'klingon' }),
    'OPTION_INVALID',
    "The encoding 'klingon' is none that",
  ],
  ['that is a number', () => ndjson(5 as never), 'OPTION_INVALID', 'a stream or a list of pieces, not 5.'],
  ['that is null', () => lines(null as never), 'OPTION_INVALID', 'a stream or a list of pieces, not null.'],
  ['that is an object', () => csv({ path: 'a.csv' } as never), 'OPTION_INVALID', 'a stream or a list of pieces, not another object.'],
  [
    'whose pieces are objects',
    () => lines(['a\n', {}] as never, { name: 'x' }),
    'RECORD_INVALID',
    'x gives a piece of type object, not text or bytes.',
  ],
  [
    'in UTF-32',
    () => lines(Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]), { name: 'x' }),
    'RECORD_INVALID',
    'x is UTF-32, which cannot be read',
  ],
])('a source %s', async (_what, read, code, message) => {
  await expect((async () => all(read()))()).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
});
