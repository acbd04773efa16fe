/** Parquet that is made while it is sent. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parquetGroups, toParquet } from 'batuta/streams';

test('has smaller row groups where texts, objects or bytes are long', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'batuta-kit-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const long = 'x'.repeat(1024 * 1024);
  const rows = Array.from({ length: 20 }, (_, id) => ({
    id,
    [['text', 'more', 'bytes'][id % 3] ?? '']: [long, { list: [long] }, Buffer.from(long)][id % 3],
  }));
  const columns = { id: 'INT32', text: 'STRING', more: 'JSON', bytes: 'BYTE_ARRAY' } as const;
  const pieces: Uint8Array[] = [];
  for await (const piece of toParquet<Record<string, unknown>>(rows, { columns })) pieces.push(piece);
  const path = join(folder, 'long.parquet');
  writeFileSync(path, Buffer.concat(pieces));
  const groups: number[] = [];
  for await (const group of parquetGroups(path)) groups.push(group.rows.length);
  expect(groups).toEqual([8, 8, 4]);
});
