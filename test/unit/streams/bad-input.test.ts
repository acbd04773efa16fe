/**
 * Flows over sources that are broken: the error names file, place and task, nothing before it is lost, and nothing is left open.
 *
 * `STREAM_ERROR_AT` says how far in the last one breaks: 10,000,000 takes about a minute.
 */
import {
  createReadStream,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
  closeSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { createGunzip, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { Flow } from 'batuta';
import { csv, ndjson, parquet, writeParquet } from 'batuta/streams';
import { testFlow } from 'batuta/testing';
import { makeFlow } from '../../support/make-flow.ts';
import { openFiles } from '../../support/open-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'batuta-bad-input-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const errorAt = Number(process.env['STREAM_ERROR_AT'] ?? 50_000);
const file = (name: string, content: string | Buffer): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const isOpen = (path: string): boolean => openFiles().includes(path);

async function rowsOf(source: AsyncIterable<unknown>): Promise<unknown[]> {
  const rows: unknown[] = [];
  for await (const row of source) rows.push(row);
  return rows;
}

/** Runs a stream over a source; gives what its end took before it broke, and the error. */
async function broken(source: () => AsyncIterable<unknown>): Promise<{ readonly taken: number; readonly error: unknown }> {
  let taken = 0;
  const run = await testFlow(
    makeFlow({
      rows: {
        does: async function* () {
          yield* source();
        },
      },
      take: {
        needs: ['rows'],
        does: async (rows: AsyncIterable<unknown>) => {
          for await (const _ of rows) taken++;
        },
      },
    }),
  );
  run.expectState('Failed').expectTask('rows', 'Failed').expectTask('take', 'UpstreamFailed');
  return { taken, error: run.task('rows').error };
}

describe('a source that is broken fails its task with the place', () => {
  test('a CSV line with too many values', async () => {
    const path = file('a.csv', `id,name\n${Array.from({ length: 2_000 }, (_, id) => `${id},x`).join('\n')}\n2000,x,y\n2001,x\n`);
    const { error } = await broken(() => csv(path));
    expect(error).toMatchObject({
      code: 'RECORD_INVALID',
      message: expect.stringContaining(`${path}:2002 (task rows)`),
      details: { line: 2_002 },
      // What the parser says, and not all that it counts.
      cause: { name: 'CsvError', code: 'CSV_RECORD_INCONSISTENT_COLUMNS' },
    });
    expect(JSON.stringify(error)).not.toContain('bytes_records');
    expect(isOpen(path)).toBe(false);
  });

  test('a CSV that begins with a byte order mark and goes on in another encoding', async () => {
    const path = file('mixed.csv', Buffer.concat([Buffer.from('\uFEFFid,name\n1,Zoë\n'), Buffer.from('2,Zoë\n', 'latin1')]));
    const { error } = await broken(() => csv(path));
    expect(error).toMatchObject({
      code: 'RECORD_INVALID',
      message: expect.stringMatching(/mixed\.csv:3 \(task rows\) is not utf-8 at byte 22; give the option encoding/),
    });
  });

  test('a CSV whose quote is never closed', async () => {
    const path = file('quote.csv', 'id,name\n1,a\n2,"b\n3,c\n4,d');
    const { error } = await broken(() => csv(path));
    expect(error).toMatchObject({
      code: 'RECORD_INVALID',
      message: expect.stringMatching(/quote\.csv:\d \(task rows\) cannot be read: Quote Not Closed/),
    });
    expect(isOpen(path)).toBe(false);
  });

  test('a folder, a response that is no success, an empty Parquet file', async () => {
    expect((await broken(() => csv(folder))).error).toMatchObject({
      code: 'EISDIR',
      message: `EISDIR: '${folder}' is a folder, not a file`,
    });
    const answer = Object.defineProperty(new Response('not here', { status: 404 }), 'url', { value: 'https://example.com/a.csv' });
    expect((await broken(() => csv(answer))).error).toMatchObject({
      code: 'RECORD_INVALID',
      message: 'https://example.com/a.csv (task rows) has the status 404, not a success.',
    });
    const empty = file('empty.parquet', '');
    expect((await broken(() => parquet(empty))).error).toMatchObject({
      code: 'RECORD_INVALID',
      message: `${empty} (task rows) is no whole Parquet file: it is empty.`,
    });
  });

  test('a compressed file that is cut in half, after what can be decompressed', async () => {
    const lines = Array.from({ length: 100_000 }, (_, id) => `${id},${id * 7919}`);
    const packed = gzipSync(`id,name\n${lines.join('\n')}\n`);
    const path = file('half.csv.gz', packed.subarray(0, packed.length / 2));
    const { taken, error } = await broken(() =>
      csv(
        pipeline(createReadStream(path), createGunzip(), () => undefined),
        { name: path },
      ),
    );
    expect(error).toMatchObject({ code: 'RECORD_INVALID', message: `${path} (task rows) breaks off: unexpected end of file.` });
    expect(taken).toBeGreaterThan(40_000);
    expect(isOpen(path)).toBe(false);
  });

  test('a connection that breaks off', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-length': 1_000 }).write('id,name\n1,a\n');
      setImmediate(() => response.destroy());
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.csv`;
    try {
      const { error } = await broken(async function* () {
        yield* csv(await fetch(url));
      });
      expect(error).toMatchObject({
        code: 'RECORD_INVALID',
        message: expect.stringContaining(`${url} (task rows) breaks off: terminated`),
      });
    } finally {
      server.close();
    }
  });

  test('a text in UTF-16 that does not say so', async () => {
    const path = file('utf16.csv', Buffer.from('id,name\n1,Zoë\n', 'utf16le'));
    const { error } = await broken(() => csv(path));
    expect(error).toMatchObject({
      code: 'RECORD_INVALID',
      message: expect.stringMatching(/utf16\.csv \(task rows\) looks like utf-16le and has no byte order mark; give the option encoding/),
    });
    expect(await rowsOf(csv(path, { encoding: 'utf-16le' }))).toEqual([{ id: '1', name: 'Zoë' }]);
  });

  test('a line that is no JSON, as deep as it lies', async () => {
    async function* text(): AsyncGenerator<string> {
      for (let line = 1; line < errorAt; line += 100)
        yield Array.from({ length: Math.min(100, errorAt - line) }, (_, more) => `{"id":${line + more}}\n`).join('');
      yield '{"id":\n{"id":0}\n';
    }
    const { taken, error } = await broken(() => ndjson(text(), { name: 'deep.ndjson' }));
    expect(error).toMatchObject({
      code: 'RECORD_INVALID',
      message: expect.stringContaining(`deep.ndjson:${errorAt} (task rows) is no JSON`),
      details: { line: errorAt, source: 'deep.ndjson', task: 'rows' },
    });
    // What was not handed over yet is dropped with the attempt.
    expect(taken).toBeGreaterThan(errorAt - 1_000);
    expect(taken).toBeLessThan(errorAt);
  }, 300_000);

  test('a Parquet file that is cut in half, and one whose middle is overwritten', async () => {
    const path = join(folder, 'rows.parquet');
    const rows = Array.from({ length: 3_000 }, (_, id) => ({ id, text: `text ${id * 7919}` }));
    await writeParquet(rows, path, { columns: { id: 'INT32', text: 'STRING' }, rowsPerGroup: 1_000 });
    const half = file('half.parquet', readFileSync(path));
    truncateSync(half, Math.floor(statSync(path).size / 2));
    expect((await broken(() => parquet(half))).error).toMatchObject({
      code: 'RECORD_INVALID',
      message: expect.stringContaining(`${half} (task rows) is no whole Parquet file`),
    });
    const scratched = file('scratched.parquet', readFileSync(path));
    const handle = openSync(scratched, 'r+');
    writeSync(handle, Buffer.alloc(2_000, 0xff), 0, 2_000, Math.floor(statSync(path).size / 2));
    closeSync(handle);
    const { error } = await broken(() => parquet(scratched));
    expect(error).toMatchObject({
      code: 'RECORD_INVALID',
      message: expect.stringMatching(/scratched\.parquet, record (1000|2000) \(task rows\) cannot be read/),
    });
    // The library that reads Parquet does not wait until a file is closed.
    await expect.poll(() => [half, scratched].some(isOpen)).toBe(false);
  });
});

test('a byte order mark is no part of the first column, in whatever encoding and however the bytes come', async () => {
  const text = '\uFEFFid,name\n1,Zoë\n';
  const swapped = Buffer.from(text, 'utf16le').swap16();
  for (const bytes of [Buffer.from(text), Buffer.from(text, 'utf16le'), swapped]) {
    expect(await rowsOf(csv(file('marked.csv', bytes)))).toEqual([{ id: '1', name: 'Zoë' }]);
    expect(await rowsOf(csv([...bytes].map((byte) => Uint8Array.of(byte))))).toEqual([{ id: '1', name: 'Zoë' }]);
  }
});

test('a stream that the body of a flow returns is refused by name', async () => {
  @Flow()
  class Returns {
    async run(): Promise<unknown> {
      async function* rows() {
        yield 1;
      }
      return rows();
    }
  }
  const run = await testFlow(Returns as never);
  run.expectState('Failed');
  expect(run.error).toMatchObject({
    code: 'RESULT_NOT_SERIALIZABLE',
    message: expect.stringContaining('it is a stream: take its records'),
  });
});
