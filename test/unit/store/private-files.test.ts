import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { folderPlace } from '../../../src/engine/results/folder-place.ts';
import { resultStorage } from '../../../src/engine/results/storage.ts';
import { openStore } from '../../../src/store/open.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'batuta-private-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const rightsOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

test('a new store is for its owner alone, and one of before becomes so', async () => {
  const own = join(folder, '.batuta');
  const url = `sqlite:${join(own, 'batuta.db')}`;
  for (const before of ['new', 'readable by all']) {
    if (before !== 'new') {
      chmodSync(own, 0o755);
      for (const name of readdirSync(own)) chmodSync(join(own, name), 0o644);
    }
    const store = await openStore({ url });
    const files = readdirSync(own);
    expect(files).toContain('batuta.db');
    expect([rightsOf(own), ...files.map((name) => rightsOf(join(own, name)))]).toEqual(['700', ...files.map(() => '600')]);
    await store.close();
  }
});

test('results in a folder are for their owner alone', async () => {
  const results = join(folder, 'results');
  await resultStorage(folderPlace(results)).put('run/task', '{}');
  expect([rightsOf(results), rightsOf(join(results, 'run')), rightsOf(join(results, 'run', 'task.json'))]).toEqual(['700', '700', '600']);
});
