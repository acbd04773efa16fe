import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { imageSize } from 'image-size';
import { openClient } from 'batuta/client';
import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { loadFlowFile } from '../../../src/define/load.ts';
import { artifactFileOf } from '../../../src/model/artifact.ts';
import { ownFolder } from '../../support/own-engine.ts';

/** As the command line runs it, so that threads find its file. */
async function runSheet(params: object) {
  const [loaded] = await loadFlowFile('flows/contact-sheet.ts');
  if (!loaded) throw new Error('There is no flow.');
  const client = await openClient({ databaseUrl: 'sqlite::memory:', results: join(ownFolder(), 'results') });
  try {
    const handle = await client.submit(loaded.flowClass, params);
    await handle.done();
    const inspection = await client.runs.inspect(handle.id);
    const image = inspection.artifacts.find(({ kind }) => kind === 'image');
    const pieces: Uint8Array[] = [];
    if (image) for await (const piece of (await client.artifacts.content(image.id)).pieces) pieces.push(piece);
    const result = inspection.run.state.type === 'COMPLETED' ? ((await handle.result()) as Record<string, number>) : null;
    return { ...inspection, result, image: image ? artifactFileOf(image) : null, bytes: Buffer.concat(pieces) };
  } finally {
    await client.close();
  }
}

describe('contact-sheet', () => {
  it('puts the pictures of the dashboard on one sheet, each made small in a thread', async () => {
    const names = readdirSync('docs/images/dashboard')
      .filter((name) => name.endsWith('.png'))
      .toSorted()
      .slice(0, 5);
    const { result, image, bytes, taskRuns, artifacts } = await runSheet({ limit: 5, width: 120, columns: 3 });
    const sizes = names.map((name) => imageSize(readFileSync(`docs/images/dashboard/${name}`)));
    const heights = sizes.map(({ width, height }) => Math.round((height * 120) / width));
    const height = 8 + Math.max(...heights.slice(0, 3)) + 8 + Math.max(...heights.slice(3)) + 8;
    const pixelsRead = sizes.reduce((sum, size) => sum + size.width * size.height, 0);
    expect(result).toEqual({ images: 5, width: 8 + 3 * 128, height, pixelsRead });
    expect(image).toMatchObject({ type: 'image/png', width: 392, height });
    expect(imageSize(bytes)).toMatchObject({ width: 392, height, type: 'png' });
    const shrunk = taskRuns.filter(({ name }) => name === 'thumbnail');
    expect(shrunk.map(({ usageScope }) => usageScope)).toEqual(Array.from({ length: 5 }, () => 'thread'));
    const table = artifacts.find(({ kind }) => kind === 'table');
    const listed = (table?.data ?? []) as readonly { readonly name: string }[];
    expect(listed.map(({ name }) => name)).toEqual(names);
  });

  it('draws colours as they were, the seen ones of what is half transparent', async () => {
    const folder = ownFolder();
    const red = new PNG({ width: 400, height: 200 });
    for (let at = 0; at < red.data.length; at += 4) red.data.set(at % 8 === 0 ? [200, 0, 0, 255] : [0, 0, 200, 0], at);
    writeFileSync(join(folder, 'a.png'), PNG.sync.write(red));
    const { bytes } = await runSheet({ folder, width: 100, columns: 1 });
    const sheet = PNG.sync.read(bytes);
    expect([sheet.width, sheet.height]).toEqual([116, 66]);
    // Half of it is red, through the other half the paper is seen.
    expect([...sheet.data.subarray((30 * 116 + 50) * 4, (30 * 116 + 50) * 4 + 3)]).toEqual([219, 119, 119]);
    expect([...sheet.data.subarray(0, 3)]).toEqual([238, 238, 238]);
  });

  it('names the file that is no whole image, and a folder without any', async () => {
    const folder = ownFolder();
    copyFileSync('docs/images/dashboard/home-light-phone.png', join(folder, 'a.png'));
    writeFileSync(join(folder, 'b.png'), 'no image');
    const broken = await runSheet({ folder });
    expect(broken.run.state.type).toBe('FAILED');
    expect(broken.taskRuns.find(({ index }) => index === 1)?.error?.message).toContain(`${join(folder, 'b.png')} cannot be read as PNG`);
    const empty = await runSheet({ folder: ownFolder() });
    expect(empty.run.error?.message).toContain('There is no PNG image in');
  });
});
