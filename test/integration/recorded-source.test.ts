/** Files that rows of the database name: which are loaded, and which are refused. */
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findFlowOfRun } from '../../src/define/find-flow.ts';
import { loadFlowFile } from '../../src/define/load.ts';
import { rememberSource } from '../../src/define/recorded-source.ts';
import { oneFlow, ownProject } from '../support/flow-files.ts';

/** Writes a file when it is loaded. */
const evil = (marker: string, name = 'Evil'): string =>
  `import { writeFileSync } from 'node:fs';\nwriteFileSync(${JSON.stringify(marker)}, 'loaded');\n${oneFlow(name)}`;

const isRoot = process.getuid?.() === 0;

describe('a file that a row names', () => {
  test.each(['lib/evil.ts', 'flows/node_modules/pkg/evil.ts', 'flows/.hidden/evil.ts', 'flows-too/evil.ts'])(
    'is not loaded from %s',
    async (place) => {
      const { path, write } = ownProject({ 'flows/orders.ts': oneFlow('Orders') });
      const marker = join(path, 'loaded');
      const file = write(place, evil(marker, 'Orders'));
      for (const source of [`${file}#Orders`, `${path}/flows/../${place}#Orders`])
        await expect(findFlowOfRun({ flow: 'orders', source, flows: 'flows' }, { cwd: path })).rejects.toMatchObject({
          code: 'SOURCE_REFUSED',
        });
      expect(existsSync(marker)).toBe(false);
    },
  );

  test('is loaded from the place for flows, also by a link that was put there', async () => {
    const { path, write } = ownProject({ 'flows/deep/orders.ts': oneFlow('Orders') });
    const elsewhere = write('elsewhere/linked.ts', oneFlow('Linked'));
    symlinkSync(elsewhere, join(path, 'flows/linked.ts'));
    const find = (flow: string, file: string) => findFlowOfRun({ flow, source: `${join(path, file)}#X`, flows: 'flows' }, { cwd: path });
    expect((await find('orders', 'flows/deep/orders.ts')).name).toBe('orders');
    expect((await find('linked', 'flows/linked.ts')).name).toBe('linked');
  });

  test('is loaded from anywhere once this user has had it run', async () => {
    const { path, write } = ownProject({ 'flows/orders.ts': oneFlow('Orders') });
    const file = write('scripts/report.ts', oneFlow('Report'));
    const find = () => findFlowOfRun({ flow: 'report', source: `${file}#Report`, flows: 'flows' }, { cwd: path });
    await expect(find()).rejects.toMatchObject({ code: 'SOURCE_REFUSED', message: expect.stringContaining('run it once by its path') });
    rememberSource(file);
    expect((await find()).name).toBe('report');
  });

  test('of another copy of the project is taken by its name from this one', async () => {
    const before = ownProject({ 'flows/orders.ts': oneFlow('Orders', 'return 1') });
    const now = ownProject({ 'flows/orders.ts': oneFlow('Orders', 'return 2') });
    const source = `${join(before.path, 'flows/orders.ts')}#Orders`;
    const found = await findFlowOfRun({ flow: 'orders', source, flows: 'flows' }, { cwd: now.path });
    expect(found.source?.file).toBe(join(now.path, 'flows/orders.ts'));
  });
});

describe('a bundle of the cache', () => {
  /** Puts other code into the bundle of a flow, as somebody who may write to it could. */
  async function tampered(): Promise<{ readonly file: string; readonly marker: string; readonly cache: string }> {
    const { path, write } = ownProject({}, { modules: true });
    const file = write('etl.ts', oneFlow('Etl'));
    const marker = join(path, 'loaded');
    await loadFlowFile(file);
    const cache = join(path, 'node_modules/.cache/batuta');
    for (const name of readdirSync(cache).filter((one) => one.endsWith('.json'))) {
      const manifest = JSON.parse(readFileSync(join(cache, name), 'utf8')) as { module: string };
      const spoilt = join(cache, 'spoilt.mjs');
      writeFileSync(
        spoilt,
        `import { writeFileSync } from 'node:fs';\nwriteFileSync(${JSON.stringify(marker)}, 'x');\n${readFileSync(manifest.module, 'utf8')}`,
        { mode: 0o600 },
      );
      writeFileSync(join(cache, name), JSON.stringify({ ...manifest, module: spoilt }));
    }
    return { file, marker, cache };
  }

  test('is used while only this user can have written it', async () => {
    const { file, marker } = await tampered();
    await loadFlowFile(file);
    expect(existsSync(marker)).toBe(true);
  });

  test.each([
    ['its folder can be written by all', (cache: string) => chmodSync(cache, 0o777)],
    ['its folder can be written by a group', (cache: string) => chmodSync(cache, 0o770)],
    ['node_modules can be written by all', (cache: string) => chmodSync(join(cache, '../..'), 0o777)],
    ['it can be written by all itself', (cache: string) => chmodSync(join(cache, 'spoilt.mjs'), 0o666)],
    [
      'it lies elsewhere',
      (cache: string) => {
        mkdirSync(join(cache, '../../../other'));
        renameSync(join(cache, 'spoilt.mjs'), join(cache, '../../../other/spoilt.mjs'));
        for (const name of readdirSync(cache).filter((one) => one.endsWith('.json'))) {
          const manifest = JSON.parse(readFileSync(join(cache, name), 'utf8')) as object;
          writeFileSync(join(cache, name), JSON.stringify({ ...manifest, module: join(cache, '../../../other/spoilt.mjs') }));
        }
      },
    ],
    ...(isRoot
      ? ([
          ["its folder is somebody else's", (cache: string) => chownSync(cache, 12_345, 12_345)],
          ["it is somebody else's itself", (cache: string) => chownSync(join(cache, 'spoilt.mjs'), 12_345, 12_345)],
        ] as const)
      : []),
  ] as const)('is not when %s', async (_, spoil) => {
    const { file, marker, cache } = await tampered();
    spoil(cache);
    expect((await loadFlowFile(file))[0]?.definition.name).toBe('etl');
    expect(existsSync(marker)).toBe(false);
  });
});
