import { existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { definitionOf } from '../../src/define/definition.ts';
import { type LoadedFlow, loadFlowFile } from '../../src/define/load.ts';
import type { FlowClass } from '../../src/model/flow-types.ts';
import { bundlesOf, callTask, legacy, oneFlow, ownProject, standard } from '../support/flow-files.ts';

describe('the cache of bundles', () => {
  test('an unchanged file is not compiled again, a changed one is, and the version follows the content', async () => {
    const { write } = ownProject({ 'lib/n.ts': 'export const n: number = 1;' });
    const file = write('etl.ts', `import { n } from './lib/n.ts';\n${oneFlow('Etl', 'return n;')}`);
    const [first] = await loadFlowFile(file);
    expect((await loadFlowFile(file))[0]?.flowClass).toBe(first?.flowClass);
    // A new time alone is no change.
    utimesSync(file, 1, 1);
    expect((await loadFlowFile(file))[0]?.flowClass).toBe(first?.flowClass);
    write('lib/n.ts', 'export const n: number = 2;');
    const [changed] = await loadFlowFile(file);
    expect(changed?.definition.version).not.toBe(first?.definition.version);
    expect(callTask(changed)).toBe(2);
    write('lib/n.ts', 'export const n: number = 1;');
    expect((await loadFlowFile(file))[0]?.definition.version).toBe(first?.definition.version);
    expect(bundlesOf(file)).toHaveLength(2);
  });

  test('comments and layout make no version; a class that comes with the file, exported or not, has the version of the file', async () => {
    const { write } = ownProject({ 'inner.ts': oneFlow('Inner'), 'n.ts': 'export const n = 1;' });
    const outer = `import { Inner } from './inner.ts';\nimport { n } from './n.ts';\n${oneFlow('Outer', 'return [n, Inner];')}`;
    const file = write('outer.ts', outer);
    const [first] = await loadFlowFile(file);
    const innerOf = (flow: LoadedFlow | undefined) => definitionOf((callTask(flow) as [number, FlowClass])[1]);
    const version = first?.definition.version;
    expect(innerOf(first)).toMatchObject({ name: 'inner', version });
    write('outer.ts', `// Mended.\n${outer.replaceAll('\n', '\n\n')}/* The end. */\n`);
    expect((await loadFlowFile(file))[0]?.definition.version).toBe(version);
    // What the class is made of is the same, and not what it calls.
    write('n.ts', 'export const n = 2;');
    const [changed] = await loadFlowFile(file);
    expect(changed?.definition.version).not.toBe(version);
    expect(innerOf(changed).version).toBe(changed?.definition.version);
  });

  test('a new tsconfig and a changed one are seen', async () => {
    const { write } = ownProject();
    const file = write('flows/etl.ts', oneFlow('Etl'));
    const classes = [(await loadFlowFile(file))[0]?.flowClass];
    write('tsconfig.json', standard);
    classes.push((await loadFlowFile(file))[0]?.flowClass);
    write('tsconfig.base.json', legacy);
    write('tsconfig.json', JSON.stringify({ extends: './tsconfig.base.json' }));
    classes.push((await loadFlowFile(file))[0]?.flowClass);
    write(
      'tsconfig.base.json',
      JSON.stringify({ compilerOptions: { experimentalDecorators: true, target: 'ES2022', useDefineForClassFields: false } }),
    );
    classes.push((await loadFlowFile(file))[0]?.flowClass);
    // Without and with a tsconfig that asks for standard decorators the code is the same.
    expect(new Set(classes).size).toBe(2);
  });

  test('the version does not depend on where the project lies', async () => {
    const files = {
      'lib/where.ts': 'export const where = import.meta.url;',
      'flows/etl.ts': `import { where } from '../lib/where.ts';\n${oneFlow('Etl', 'return where;')}`,
    };
    const versions = await Promise.all(
      [ownProject(files), ownProject(files)].map(
        async ({ path }) => (await loadFlowFile(join(path, 'flows/etl.ts')))[0]?.definition.version,
      ),
    );
    expect(versions[0]).toBe(versions[1]);
  });

  test('a damaged manifest and a missing bundle are made anew', async () => {
    const { write } = ownProject();
    const file = write('etl.ts', oneFlow('Etl'));
    await loadFlowFile(file);
    const folder = join(file, '../node_modules/.cache/batuta');
    for (const name of readdirSync(folder)) if (name.endsWith('.json')) writeFileSync(join(folder, name), '{"half');
    expect((await loadFlowFile(file))[0]?.definition.name).toBe('etl');
    expect(bundlesOf(file)).toHaveLength(1);
  });

  test('what was not used for a week is removed when something new is made', async () => {
    const { write } = ownProject();
    const file = write('etl.ts', oneFlow('Etl'));
    await loadFlowFile(file);
    const [old = ''] = bundlesOf(file);
    const weekAgo = Date.now() / 1000 - 8 * 86_400;
    utimesSync(old, weekAgo, weekAgo);
    write('etl.ts', oneFlow('Etl', 'return 2'));
    await loadFlowFile(file);
    expect(existsSync(old)).toBe(false);
    expect(bundlesOf(file)).toHaveLength(1);
  });

  test('processes that load the same file at once all get it', async () => {
    const { write } = ownProject();
    const file = write('etl.ts', oneFlow('Etl'));
    const loaded = await Promise.all(Array.from({ length: 6 }, () => loadFlowFile(file)));
    expect(new Set(loaded.map(([flow]) => flow?.flowClass)).size).toBe(1);
    expect(readdirSync(join(file, '../node_modules/.cache/batuta')).filter((name) => name.endsWith('.half'))).toEqual([]);
  });
});
