import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { builtFile } from '../../src/base/installed.ts';
import { loadFlowFile } from '../../src/define/load.ts';
import { bundlesOf, callTask, oneFlow, ownProject } from '../support/flow-files.ts';

describe('a flow file that is loaded', () => {
  test('imports of TypeScript, JSON, text and CommonJS work, and top-level await', async () => {
    const { write } = ownProject({
      'lib/sum.ts': `export const sum = (a: number, b: number): number => a + b;`,
      'lib/old.cjs': `const { basename } = require('node:path'); module.exports = { old: basename('/x/old') , dir: __dirname };`,
      'data.json': `{ "n": 40 }`,
      'query.sql': `select 1`,
    });
    const file = write(
      'flow.ts',
      `import { Flow, Task } from 'batuta';
       import { sum } from './lib/sum.js';
       import data from './data.json' with { type: 'json' };
       import query from './query.sql';
       import old from './lib/old.cjs';
       const late = await Promise.resolve(2);
       @Flow() export class Etl { @Task() a() { return [sum(data.n, late), query, old.old, old.dir]; } }`,
    );
    const [loaded] = await loadFlowFile(file);
    expect(callTask(loaded)).toEqual([42, 'select 1', 'old', join(file, '../lib')]);
  });

  test('each file knows where it lies, relative imports included', async () => {
    const place = `[import.meta.url, import.meta.dirname, import.meta.filename, __dirname, __filename]`;
    const { path, write } = ownProject({ 'lib/place.ts': `export const place = ${place};` });
    const file = write(
      'flows/place.ts',
      `import { place as other } from '../lib/place.ts';\nimport { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);\n` +
        `import { Flow, Task } from 'batuta';\n@Flow() export class Etl { @Task() a() { return [${place}, other, require.resolve('./place.ts')]; } }`,
    );
    const placeOf = (at: string): string[] => [pathToFileURL(at).href, join(at, '..'), at, join(at, '..'), at];
    const [loaded] = await loadFlowFile(file);
    expect(callTask(loaded)).toEqual([placeOf(file), placeOf(join(path, 'lib/place.ts')), file]);
  });

  test('packages come from where the file lies, linked packages of the workspace from their source', async () => {
    const { path, write } = ownProject({
      'node_modules/left/package.json': `{ "name": "left", "version": "1.0.0", "type": "module", "exports": { ".": "./index.js", "./sub": "./sub.js" } }`,
      'node_modules/left/index.js': `export const left = import.meta.url;`,
      'node_modules/left/sub.js': `export const sub = 'sub';`,
      'node_modules/old/package.json': `{ "name": "old", "version": "1.0.0" }`,
      'node_modules/old/index.js': `module.exports = { old: 'cjs' };`,
      'packages/shared/package.json': `{ "name": "@acme/shared", "version": "1.0.0", "type": "module", "exports": "./src/index.ts" }`,
      'packages/shared/src/index.ts': `import { deep } from 'deep';\nexport const shared: string = 'shared ' + deep;`,
      'packages/shared/node_modules/deep/package.json': `{ "name": "deep", "version": "1.0.0", "type": "module", "exports": "./index.js" }`,
      'packages/shared/node_modules/deep/index.js': `export const deep = 'deep';`,
      'packages/app/package.json': `{ "name": "app", "version": "1.0.0" }`,
    });
    mkdirSync(join(path, 'node_modules/@acme'), { recursive: true });
    symlinkSync(join(path, 'packages/shared'), join(path, 'node_modules/@acme/shared'));
    const file = write(
      'packages/app/flows/etl.ts',
      `import { left } from 'left'; import { sub } from 'left/sub'; import old from 'old'; import { shared } from '@acme/shared';
       const required = require('old');
       ${oneFlow('Etl', 'return [left, sub, old.old, shared, required.old];')}`,
    );
    const [loaded] = await loadFlowFile(file);
    expect(callTask(loaded)).toEqual([pathToFileURL(join(path, 'node_modules/left/index.js')).href, 'sub', 'cjs', 'shared deep', 'cjs']);
  });

  test('aliases of tsconfig are followed', async () => {
    const { write } = ownProject({
      'tsconfig.json': JSON.stringify({ compilerOptions: { experimentalDecorators: true, paths: { '@lib/*': ['./lib/*'] } } }),
      'lib/one.ts': 'export const one = 1;',
    });
    const file = write('flows/a.ts', `import { one } from '@lib/one';\n${oneFlow('A', 'return one;')}`);
    const [loaded] = await loadFlowFile(file);
    expect(callTask(loaded)).toBe(1);
  });

  test('a flow file outside any project is loaded', async () => {
    const { path, write } = ownProject({}, { modules: false });
    const file = write('alone.ts', oneFlow('Alone'));
    expect((await loadFlowFile(file))[0]?.definition.name).toBe('alone');
    expect(readdirSync(path)).toEqual(['alone.ts']);
  });

  test('packages are found by their place when bundles cannot be kept beside them', async () => {
    const { path, write } = ownProject({
      'node_modules/.cache': 'a file where a folder should be',
      'node_modules/left/package.json': `{ "name": "left", "version": "1.0.0", "type": "module", "exports": "./index.js" }`,
      'node_modules/left/index.js': `export const left = 'left';`,
      'node_modules/old/package.json': `{ "name": "old", "version": "1.0.0" }`,
      'node_modules/old/index.js': `module.exports = 'old';`,
    });
    const file = write('etl.ts', `import { left } from 'left';\nconst old = require('old');\n${oneFlow('Etl', 'return [left, old];')}`);
    for (const [loaded] of [await loadFlowFile(file), await loadFlowFile(file)]) {
      expect(callTask(loaded)).toEqual(['left', 'old']);
    }
    expect(readFileSync(join(path, 'node_modules/.cache'), 'utf8')).toMatch(/^a file/);
  });

  test('a worker thread loads the same file', async () => {
    const { write } = ownProject();
    const file = write('thread.ts', oneFlow('Thread'));
    await loadFlowFile(file);
    const code = `const { parentPort } = require('node:worker_threads');
      import(${JSON.stringify(pathToFileURL(builtFile('index.js')).href)}).then(() => import(${JSON.stringify(pathToFileURL(bundlesOf(file)[0] ?? '').href)}))
        .then((module) => parentPort.postMessage(Object.keys(module)));`;
    const worker = new Worker(code, { eval: true });
    const keys = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    await worker.terminate();
    expect(keys).toEqual(['Thread']);
  });
});
