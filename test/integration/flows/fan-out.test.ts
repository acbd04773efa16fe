import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileChecksums } from '../../../flows/fan-out.ts';
import { runHere } from './run-here.ts';

describe('fan-out', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'batuta-files-'));
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('runs one task run per file and joins their results in the order of the files', async () => {
    const texts = ['one', 'two', 'three', 'four', 'five', 'six'];
    await Promise.all(texts.map((text, at) => writeFile(join(folder, `${at}.txt`), text)));

    const { run, taskRuns, result, artifact } = await runHere(FileChecksums, { folder });

    expect(run.error).toBeNull();
    expect(new Set(taskRuns.filter((it) => it.name === 'checksum').map((it) => it.index))).toEqual(new Set([0, 1, 2, 3, 4, 5]));
    expect(result).toEqual({ files: 6, bytes: texts.join('').length });
    expect(artifact('manifest')).toEqual(
      texts.map((text, at) => ({ file: `${at}.txt`, bytes: text.length, sha256: createHash('sha256').update(text).digest('hex') })),
    );
  });

  it('completes with an empty manifest for an empty folder', async () => {
    const { run, result } = await runHere(FileChecksums, { folder });
    expect(run.state.name).toBe('Completed');
    expect(result).toEqual({ files: 0, bytes: 0 });
  });

  it('reads the data sets that come with the repository', async () => {
    const { statesOf, result } = await runHere(FileChecksums);
    const { files } = result as { files: number };
    expect(files).toBeGreaterThan(50);
    expect(statesOf('checksum')).toEqual(Array.from({ length: files }, () => 'Completed'));
  });
});
