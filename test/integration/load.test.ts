import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { builtFile } from '../../src/base/installed.ts';
import { isFlowClass } from '../../src/define/definition.ts';
import { loadConfigFile } from '../../src/define/load-config-file.ts';
import { loadFlowFile } from '../../src/define/load.ts';
import type { TaskDefinition } from '../../src/model/task.ts';
import { makeProject, type ProjectFolder } from '../support/project-folder.ts';

const legacy = JSON.stringify({ compilerOptions: { experimentalDecorators: true, target: 'ES2022' } });
const standard = JSON.stringify({ compilerOptions: { experimentalDecorators: false, target: 'ES2022' } });
const oneFlow = (name: string, body = 'return 1'): string =>
  `import { Flow, Task } from 'batuta';\n@Flow()\nexport class ${name} {\n  @Task()\n  a() { ${body} }\n}\n`;

let projects: ProjectFolder[] = [];
function project(files: Record<string, string>, options?: { modules?: boolean }): ProjectFolder {
  const made = makeProject(files, options);
  projects.push(made);
  return made;
}
function discard(): void {
  for (const made of projects) made.remove();
  projects = [];
}
afterEach(discard);
afterAll(discard);

const call = (tasks: ReadonlyMap<string, TaskDefinition>, instance: object, name: string): unknown =>
  tasks.get(name)?.method.call(instance);

describe('loading a flow file', () => {
  test.each([
    ['legacy decorators', legacy],
    ['standard decorators', standard],
    ['no tsconfig', null],
  ])('gives the flows it exports, with file, export and version: %s', async (_, tsconfig) => {
    const { write } = project(tsconfig === null ? {} : { 'tsconfig.json': tsconfig });
    const file = write(
      'flows/etl.ts',
      `import { Flow, Task, On } from 'batuta';
       @Flow({ retries: 2 }) export class Etl {
         @Task() async a(): Promise<number> { return 1; }
         @Task({ needs: ['a'], retryDelay: '5s' }) b(x: number) { return x + 1; }
         @On('failed') told() {}
       }
       export class NoFlow {}
       export const number = 1;`,
    );
    const [loaded, ...more] = await loadFlowFile(file);
    expect(more).toEqual([]);
    expect(isFlowClass(loaded?.flowClass)).toBe(true);
    expect(loaded?.definition).toMatchObject({
      name: 'etl',
      className: 'Etl',
      retry: { retries: 2 },
      source: { file, exportName: 'Etl' },
      hooks: [{ event: 'failed', name: 'told' }],
    });
    expect(loaded?.definition.version).toMatch(/^[0-9a-f]{12}$/);
    expect(loaded?.definition.graph.edges).toEqual([{ from: 'a', to: 'b', kind: 'data' }]);
    expect(loaded?.definition.tasks.get('b')?.retry.delayMs).toBe(5000);
  });

  test('a class exported under two names counts once, under its own name', async () => {
    const { write } = project({});
    const file = write('two.ts', `${oneFlow('Etl')}export { Etl as Other };\nexport default Etl;\n`);
    const loaded = await loadFlowFile(file);
    expect(loaded.map(({ definition }) => definition.source?.exportName)).toEqual(['Etl']);
  });

  test('an anonymous default export is loaded when it has a name, and refused when it has none', async () => {
    const { write } = project({ 'tsconfig.json': legacy });
    const named = write(
      'named.ts',
      `import { Flow, Task } from 'batuta';\n@Flow({ name: 'nightly' }) export default class { @Task() a() {} }`,
    );
    expect((await loadFlowFile(named))[0]?.definition).toMatchObject({ name: 'nightly', source: { exportName: 'default' } });
    const nameless = write('nameless.ts', `import { Flow, Task } from 'batuta';\n@Flow() export default class { @Task() a() {} }`);
    await expect(loadFlowFile(nameless)).rejects.toMatchObject({ code: 'NAME_INVALID' });
  });

  test('classes of one name in two files keep their names', async () => {
    const { write } = project({ 'lib/etl.ts': `export class Etl {}` });
    const file = write('etl.ts', `import { Etl as Base } from './lib/etl.ts';\n${oneFlow('Etl')}export const base = new Base();`);
    expect((await loadFlowFile(file))[0]?.definition).toMatchObject({ className: 'Etl', name: 'etl' });
  });

  test('imports of TypeScript, JSON, text and CommonJS work, and top-level await', async () => {
    const { write } = project({
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
    expect(loaded && call(loaded.definition.tasks, loaded.definition.create(), 'a')).toEqual([42, 'select 1', 'old', join(file, '../lib')]);
  });

  test('each file knows where it lies, relative imports included', async () => {
    const place = `[import.meta.url, import.meta.dirname, import.meta.filename, __dirname, __filename]`;
    const { path, write } = project({ 'lib/place.ts': `export const place = ${place};` });
    const file = write(
      'flows/place.ts',
      `import { place as other } from '../lib/place.ts';\nimport { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);\n` +
        `import { Flow, Task } from 'batuta';\n@Flow() export class Etl { @Task() a() { return [${place}, other, require.resolve('./place.ts')]; } }`,
    );
    const placeOf = (at: string): string[] => [pathToFileURL(at).href, join(at, '..'), at, join(at, '..'), at];
    const [loaded] = await loadFlowFile(file);
    expect(loaded && call(loaded.definition.tasks, loaded.definition.create(), 'a')).toEqual([
      placeOf(file),
      placeOf(join(path, 'lib/place.ts')),
      file,
    ]);
  });

  test('packages come from where the file lies, linked packages of the workspace from their source', async () => {
    const { path, write } = project({
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
    expect(loaded && call(loaded.definition.tasks, loaded.definition.create(), 'a')).toEqual([
      pathToFileURL(join(path, 'node_modules/left/index.js')).href,
      'sub',
      'cjs',
      'shared deep',
      'cjs',
    ]);
  });

  test('aliases of tsconfig are followed', async () => {
    const { write } = project({
      'tsconfig.json': JSON.stringify({ compilerOptions: { experimentalDecorators: true, paths: { '@lib/*': ['./lib/*'] } } }),
      'lib/one.ts': 'export const one = 1;',
    });
    const file = write('flows/a.ts', `import { one } from '@lib/one';\n${oneFlow('A', 'return one;')}`);
    const [loaded] = await loadFlowFile(file);
    expect(loaded && call(loaded.definition.tasks, loaded.definition.create(), 'a')).toBe(1);
  });

  test('a flow file outside any project is loaded', async () => {
    const { path, write } = project({}, { modules: false });
    const file = write('alone.ts', oneFlow('Alone'));
    expect((await loadFlowFile(file))[0]?.definition.name).toBe('alone');
    expect(readdirSync(path)).toEqual(['alone.ts']);
  });

  test('packages are found by their place when bundles cannot be kept beside them', async () => {
    const { path, write } = project({
      'node_modules/.cache': 'a file where a folder should be',
      'node_modules/left/package.json': `{ "name": "left", "version": "1.0.0", "type": "module", "exports": "./index.js" }`,
      'node_modules/left/index.js': `export const left = 'left';`,
      'node_modules/old/package.json': `{ "name": "old", "version": "1.0.0" }`,
      'node_modules/old/index.js': `module.exports = 'old';`,
    });
    const file = write('etl.ts', `import { left } from 'left';\nconst old = require('old');\n${oneFlow('Etl', 'return [left, old];')}`);
    for (const [loaded] of [await loadFlowFile(file), await loadFlowFile(file)]) {
      expect(loaded && call(loaded.definition.tasks, loaded.definition.create(), 'a')).toEqual(['left', 'old']);
    }
    expect(readFileSync(join(path, 'node_modules/.cache'), 'utf8')).toMatch(/^a file/);
  });

  test('a worker thread loads the same file', async () => {
    const { write } = project({});
    const file = write('thread.ts', oneFlow('Thread'));
    await loadFlowFile(file);
    const code = `const { parentPort } = require('node:worker_threads');
      import(${JSON.stringify(pathToFileURL(builtFile('index.js')).href)}).then(() => import(${JSON.stringify(pathToFileURL(cached(file)[0] ?? '').href)}))
        .then((module) => parentPort.postMessage(Object.keys(module)));`;
    const worker = new Worker(code, { eval: true });
    const keys = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    await worker.terminate();
    expect(keys).toEqual(['Thread']);
  });
});

describe('the cache of bundles', () => {
  test('an unchanged file is not compiled again, a changed one is, and the version follows the content', async () => {
    const { write } = project({ 'lib/n.ts': 'export const n: number = 1;' });
    const file = write('etl.ts', `import { n } from './lib/n.ts';\n${oneFlow('Etl', 'return n;')}`);
    const [first] = await loadFlowFile(file);
    expect((await loadFlowFile(file))[0]?.flowClass).toBe(first?.flowClass);
    // A new time alone is no change.
    utimesSync(file, 1, 1);
    expect((await loadFlowFile(file))[0]?.flowClass).toBe(first?.flowClass);
    write('lib/n.ts', 'export const n: number = 2;');
    const [changed] = await loadFlowFile(file);
    expect(changed?.definition.version).not.toBe(first?.definition.version);
    expect(changed && call(changed.definition.tasks, changed.definition.create(), 'a')).toBe(2);
    write('lib/n.ts', 'export const n: number = 1;');
    expect((await loadFlowFile(file))[0]?.definition.version).toBe(first?.definition.version);
    expect(cached(file)).toHaveLength(2);
  });

  test('a new tsconfig and a changed one are seen', async () => {
    const { write } = project({});
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
      [project(files), project(files)].map(async ({ path }) => (await loadFlowFile(join(path, 'flows/etl.ts')))[0]?.definition.version),
    );
    expect(versions[0]).toBe(versions[1]);
  });

  test('a damaged manifest and a missing bundle are made anew', async () => {
    const { write } = project({});
    const file = write('etl.ts', oneFlow('Etl'));
    await loadFlowFile(file);
    const folder = join(file, '../node_modules/.cache/batuta');
    for (const name of readdirSync(folder)) if (name.endsWith('.json')) writeFileSync(join(folder, name), '{"half');
    expect((await loadFlowFile(file))[0]?.definition.name).toBe('etl');
    expect(cached(file)).toHaveLength(1);
  });

  test('what was not used for a week is removed when something new is made', async () => {
    const { write } = project({});
    const file = write('etl.ts', oneFlow('Etl'));
    await loadFlowFile(file);
    const [old = ''] = cached(file);
    const weekAgo = Date.now() / 1000 - 8 * 86_400;
    utimesSync(old, weekAgo, weekAgo);
    write('etl.ts', oneFlow('Etl', 'return 2'));
    await loadFlowFile(file);
    expect(existsSync(old)).toBe(false);
    expect(cached(file)).toHaveLength(1);
  });

  test('processes that load the same file at once all get it', async () => {
    const { write } = project({});
    const file = write('etl.ts', oneFlow('Etl'));
    const loaded = await Promise.all(Array.from({ length: 6 }, () => loadFlowFile(file)));
    expect(new Set(loaded.map(([flow]) => flow?.flowClass)).size).toBe(1);
    expect(readdirSync(join(file, '../node_modules/.cache/batuta')).filter((name) => name.endsWith('.half'))).toEqual([]);
  });
});

describe('a file that does not load', () => {
  test('is not there: the nearest names are told', async () => {
    const { path } = project({ 'flows/flight-delays.ts': oneFlow('FlightDelays') });
    await expect(loadFlowFile(join(path, 'flows/flight-delay.ts'))).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      message: expect.stringMatching(/flight-delay\.ts\. Did you mean .*flight-delays\.ts\?$/),
    });
  });

  test('does not compile: file, line, column and every error', async () => {
    const { write } = project({});
    const file = write('bad.ts', `export const here = import.meta.url; const x = ;\nimport './nope.ts';\n`);
    const error = await loadFlowFile(file).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'FILE_NOT_COMPILED',
      message: expect.stringMatching(/bad\.ts:1:48 does not compile: Unexpected ";"$/),
      details: {
        errors: [{ file, line: 1, column: 48, frame: `1 | export const here = import.meta.url; const x = ;\n${' '.repeat(51)}^` }],
      },
    });
    const missing = write('missing.ts', `import { a } from './nope.ts';\nimport { b } from './lib.ts';\nconsole.log(a, b);`);
    write('lib.ts', 'export const c = 1;');
    await expect(loadFlowFile(missing)).rejects.toMatchObject({
      code: 'FILE_NOT_COMPILED',
      message: expect.stringMatching(/missing\.ts:1:19 does not compile: Could not resolve "\.\/nope\.ts"/),
    });
  });

  test('is no code', async () => {
    const { write, path } = project({});
    await expect(loadFlowFile(write('notes.md', '# notes'))).rejects.toMatchObject({
      code: 'FILE_NOT_COMPILED',
      message: expect.stringMatching(/no TypeScript/),
    });
    await expect(loadFlowFile(path)).rejects.toMatchObject({ code: 'FILE_NOT_COMPILED' });
  });

  test('throws: message and the original line, also in an imported file', async () => {
    const { path, write } = project({
      'lib/deep.ts': `interface Gone { a: string }\n\nexport function fail(_: Gone | null): never {\n  throw new RangeError('too deep');\n}\n`,
    });
    const file = write('flows/bad.ts', `import { fail } from '../lib/deep.ts';\nfail(null);\n`);
    await expect(loadFlowFile(file)).rejects.toMatchObject({
      code: 'FILE_NOT_LOADED',
      message: expect.stringMatching(/lib\/deep\.ts:4:9 threw while it was loaded: RangeError: too deep$/),
      details: { file: join(path, 'lib/deep.ts'), line: 4 },
      cause: expect.any(RangeError),
    });
    await expect(loadFlowFile(write('odd.ts', `throw 'just text';`))).rejects.toMatchObject({
      code: 'FILE_NOT_LOADED',
      message: expect.stringMatching(/just text$/),
    });
  });

  test('imports a package that is not installed: which one, where, and how to mend it', async () => {
    const { write } = project({});
    const file = write('etl.ts', `import x from '@acme/nope/sub';\nconsole.log(x);\n`);
    await expect(loadFlowFile(file)).rejects.toMatchObject({
      code: 'FILE_NOT_LOADED',
      message: expect.stringMatching(/etl\.ts imports '@acme\/nope', which is not installed\. Install it: npm i @acme\/nope$/),
      details: { file, package: '@acme/nope' },
    });
    await expect(loadFlowFile(write('old.cjs', `require('nothing-like-it');`))).rejects.toMatchObject({
      code: 'FILE_NOT_LOADED',
      details: { package: 'nothing-like-it' },
    });
  });

  test('declares a flow wrongly: the code of the mistake, with the file', async () => {
    const { write } = project({});
    const file = write('etl.ts', `import { Flow, Task } from 'batuta';\n@Flow()\nexport class Etl {\n  @Task({ retries: -1 }) a() {}\n}`);
    await expect(loadFlowFile(file)).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringMatching(/etl\.ts.*Etl\.a: retries must be a whole number from 0, not -1/),
    });
    const unknown = write(
      'need.ts',
      `import { Flow, Task } from 'batuta';\n@Flow()\nexport class Etl {\n  @Task({ needs: ['load'] }) a() {}\n  @Task() loads() {}\n}`,
    );
    await expect(loadFlowFile(unknown)).rejects.toMatchObject({
      code: 'NEED_UNKNOWN',
      message: expect.stringMatching(/need\.ts: Etl\.a needs 'load', which is no task of Etl\. Did you mean 'loads'\?/),
    });
  });

  test('exports two flows of one name', async () => {
    const { write } = project({});
    const file = write(
      'two.ts',
      `import { Flow, Task } from 'batuta';\n@Flow({ name: 'x' }) export class A { @Task() a() {} }\n@Flow({ name: 'x' }) export class B { @Task() a() {} }`,
    );
    await expect(loadFlowFile(file)).rejects.toMatchObject({
      code: 'FLOW_DUPLICATE',
      message: expect.stringMatching(/'x': A in .*two\.ts and B in .*two\.ts/),
    });
  });
});

describe('the configuration file', () => {
  test('is loaded when it is there', async () => {
    const { path, write } = project({});
    expect(await loadConfigFile(path)).toBeNull();
    write('batuta.config.ts', `import { defineConfig } from 'batuta';\nexport default defineConfig({ flows: 'jobs' as string });`);
    expect(await loadConfigFile(path)).toEqual({ name: 'batuta.config.ts', config: { flows: 'jobs' } });
  });
});

/** Bundles in the project of a file. */
function cached(file: string): string[] {
  let folder = join(file, '..');
  while (!existsSync(join(folder, 'node_modules'))) folder = join(folder, '..');
  const cache = join(folder, 'node_modules/.cache/batuta');
  return readdirSync(cache)
    .filter((name) => name.endsWith('.mjs') && readFileSync(join(cache, name), 'utf8').length > 0)
    .map((name) => join(cache, name));
}
