/** Files that are loaded for their flows, and are programs or CommonJS modules too. */
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builtFile, packageFolder } from '../../src/base/installed.ts';
import { loadFlowFile } from '../../src/define/load.ts';
import { loadFlows } from '../../src/define/load-flows.ts';
import { callTask, legacy, ownProject } from '../support/flow-files.ts';

const flow = (name: string, body = 'return 1', options = ''): string =>
  `@Flow() export class ${name} { @Task(${options}) async a() { ${body} } }\n`;
const head = `import { Flow, Task, run } from 'batuta';\n`;
const openAndSubmit = `import { openClient } from 'batuta/client';\nconst client = await openClient({ databaseUrl: 'sqlite::memory:' });\n`;

/** A project in which the package is installed. */
function withPackage(): ReturnType<typeof ownProject> {
  const project = ownProject();
  mkdirSync(join(project.path, 'node_modules'), { recursive: true });
  if (!existsSync(join(project.path, 'node_modules/batuta'))) symlinkSync(packageFolder(), join(project.path, 'node_modules/batuta'));
  return project;
}

describe('a program that is loaded for its flows', () => {
  test.each([
    ['waits for its run', `console.log(await run(Main)); throw new Error('never here');`],
    ['runs on its own', `run(Main).then(() => { throw new Error('never here'); });`],
    ['catches what fails', `async function main() { await run(Main); } main().catch(() => process.exit(3)).then(() => process.exit(4));`],
    ['submits', `${openAndSubmit}await client.submit(Main); throw new Error('never here');`],
    ['enqueues', `${openAndSubmit}await client.enqueue(Main); throw new Error('never here');`],
    ['retries', `${openAndSubmit}await client.runs.retry('1234'); throw new Error('never here');`],
  ])('starts no run: one that %s', async (_what, program) => {
    const { write } = ownProject({ 'tsconfig.json': legacy });
    const file = write('main.ts', `${head}${flow('Main', 'return 7')}${program}\n`);
    const [loaded] = await loadFlowFile(file);
    expect(loaded?.definition).toMatchObject({ name: 'main', source: { file, exportName: 'Main' } });
    expect(await callTask(loaded)).toBe(7);
    expect((await loadFlows(file)).flows.map(({ name }) => name)).toEqual(['main']);
  });

  test('is run once, though a task of it runs in a thread', () => {
    const { path, write } = withPackage();
    const ledger = join(path, 'ledger');
    const program = `import { appendFileSync } from 'node:fs';\nconst value = await run(Main);\nappendFileSync(${JSON.stringify(ledger)}, 'ran ' + value + '\\n');\n`;
    const js = `import { Flow, Task, run } from 'batuta';
      export class Main { async a() { return 7; } }
      Task({ isolate: 'thread', timeout: '20s' })(Main.prototype, 'a', Object.getOwnPropertyDescriptor(Main.prototype, 'a'));
      Flow()(Main);\n${program}`;
    const file = write('main.mjs', js);
    execFileSync(process.execPath, [file], { cwd: path, env: { ...process.env, BATUTA_DATABASE_URL: 'sqlite:own.db' }, timeout: 60_000 });
    expect(readFileSync(ledger, 'utf8')).toBe('ran 7\n');
  }, 60_000);

  test('that is given to Node.js as code runs its tasks in threads and processes, which do not execute the code again', () => {
    const { path, write } = withPackage();
    write(
      'main.mjs',
      `import { Flow, Task } from 'batuta';
       export class Main { a() { return 7; } async b(seven) { return seven + 1; } }
       Task({ isolate: 'thread' })(Main.prototype, 'a', Object.getOwnPropertyDescriptor(Main.prototype, 'a'));
       Task({ isolate: 'process', needs: ['a'] })(Main.prototype, 'b', Object.getOwnPropertyDescriptor(Main.prototype, 'b'));
       Flow()(Main);\n`,
    );
    // The generations of a process that starts itself again and again are counted, and the third is the last.
    const code = `import { run } from 'batuta'; import { Main } from './main.mjs';
      const generation = Number(process.env.GENERATION ?? 0) + 1;
      if (generation > 2) process.exit(9);
      process.env.GENERATION = String(generation);
      console.log('generation', generation, 'gave', await run(Main));`;
    const env = { ...process.env, BATUTA_DATABASE_URL: 'sqlite::memory:', BATUTA_LOG_LEVEL: 'warn' };
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
      ...{ cwd: path, env, encoding: 'utf8', timeout: 60_000 },
    });
    expect([stdout, stderr]).toEqual(['generation 1 gave 8\n', '']);
  }, 60_000);

  test('retries and resumes its runs with the class it has, and is not run again for it', () => {
    const { path, write } = withPackage();
    const ledger = join(path, 'ledger');
    const file = write(
      'main.mjs',
      `import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
       import { Flow, Task } from 'batuta';
       import { openClient } from 'batuta/client';
       appendFileSync(${JSON.stringify(ledger)}, 'program ');
       export class Main { async a() { if (!existsSync('mended')) throw new Error('not yet'); return 7; } }
       Task()(Main.prototype, 'a', Object.getOwnPropertyDescriptor(Main.prototype, 'a'));
       Flow()(Main);
       if (process.argv[2] !== 'retry') {
         const client = await openClient();
         const handle = await client.submit(Main);
         await handle.result().catch(() => undefined);
         writeFileSync('id', handle.id);
         await client.close();
       } else {
         writeFileSync('mended', '');
         const client = await openClient();
         const { readFileSync } = await import('node:fs');
         const handle = await client.runs.retry(readFileSync('id', 'utf8'));
         appendFileSync(${JSON.stringify(ledger)}, 'gave ' + (await handle.result()));
         await client.close();
       }\n`,
    );
    const env = { ...process.env, BATUTA_DATABASE_URL: 'sqlite:own.db' };
    for (const argument of ['begin', 'retry']) execFileSync(process.execPath, [file, argument], { cwd: path, env, timeout: 60_000 });
    expect(readFileSync(ledger, 'utf8')).toBe('program program gave 7');
  }, 60_000);
});

describe('a CommonJS file', () => {
  const decorated = `Task()(Built.prototype, 'a', Object.getOwnPropertyDescriptor(Built.prototype, 'a'));\nFlow()(Built);\n`;
  test.each([
    ['built.cjs', `const { Flow, Task } = require('batuta');\nclass Built { a() { return 7; } }\n${decorated}exports.Built = Built;\n`],
    [
      'built.js',
      `const batuta_1 = require('batuta');\nconst { Flow, Task } = batuta_1;\nclass Built { a() { return 7; } }\n${decorated}module.exports = { Built };\n`,
    ],
    [
      'built.cts',
      `import batuta = require('batuta');\nconst { Flow, Task } = batuta;\nclass Built { a() { return 7; } }\n${decorated}export = { Built };\n`,
    ],
    [
      'main.cjs',
      `const { Flow, Task, run } = require('batuta');\nclass Built { a() { return 7; } }\n${decorated}exports.Built = Built;\nif (require.main === module) run(Built);\n`,
    ],
    [
      'twice.cjs',
      `const { Flow, Task } = require('batuta');\nconst { openClient } = require('batuta/client');\nclass Built { a() { return typeof openClient === 'function' ? 7 : 0; } }\n${decorated}exports.default = Built; exports.Built = Built;\n`,
    ],
  ])('%s gives its flows, from the same copy of the library', async (name, text) => {
    const { write } = ownProject({ 'package.json': '{ "type": "commonjs" }', 'tsconfig.json': legacy });
    const file = write(name, text);
    const loaded = await loadFlowFile(file);
    expect(loaded.map(({ definition }) => definition.source)).toEqual([{ file, exportName: 'Built' }]);
    expect(callTask(loaded[0])).toBe(7);
    expect(existsSync(file)).toBe(true);
  });
});

describe('a project whose tsconfig asks for emitDecoratorMetadata', () => {
  const tsconfig = JSON.stringify({
    compilerOptions: { experimentalDecorators: true, emitDecoratorMetadata: true, target: 'ES2022', module: 'NodeNext' },
  });
  const injected = `import 'reflect-metadata';
    import { Flow, Task } from 'batuta';
    import { Repo, type Named } from './repo.ts';
    const Injectable = (): ClassDecorator => () => undefined;
    @Injectable() class Service { constructor(readonly repo: Repo, readonly named: Named) {} }
    @Flow() export class Etl {
      @Task() a() { return Reflect.getMetadata('design:paramtypes', Service).map((type: unknown) => (type === Repo ? 'Repo' : typeof type)); }
      @Task() b() { throw new Error('here'); }
    }\n`;
  const repo = `export class Repo {}\nexport interface Named { readonly name: string }\n`;
  const withPackages = (names: Readonly<Record<string, string>>): ReturnType<typeof ownProject> => {
    const project = ownProject({ 'tsconfig.json': tsconfig, 'repo.ts': repo });
    for (const [name, from] of Object.entries(names))
      symlinkSync(join(packageFolder(), 'node_modules', from), join(project.path, 'node_modules', name));
    return project;
  };

  test('has what a container injects by type, by the TypeScript of the project, and stacks with its own lines', async () => {
    const { write } = withPackages({ typescript: 'typescript59', 'reflect-metadata': 'reflect-metadata' });
    const file = write('flow.ts', injected);
    const [loaded] = await loadFlowFile(file);
    expect(callTask(loaded)).toEqual(['Repo', 'function']);
    const env = { ...process.env, BATUTA_DATABASE_URL: 'sqlite:own.db', NO_COLOR: '1' };
    const { stdout, stderr } = spawnSync(process.execPath, [builtFile('cli/main.js'), 'run', file], {
      cwd: dirname(file),
      env,
      encoding: 'utf8',
    });
    expect(stdout + stderr).toContain('flow.ts:8');
  });

  test('is warned where there is no TypeScript that can do it', async () => {
    const { write } = withPackages({ typescript: 'typescript', 'reflect-metadata': 'reflect-metadata' });
    const file = write('flow.ts', injected);
    const warned = once(process, 'warning');
    await loadFlowFile(file);
    expect((await warned)[0]).toMatchObject({ code: 'BATUTA_NO_METADATA', message: expect.stringContaining('npm i -D typescript@5') });
  });

  test('is warned again of a file that has not changed, and has its metadata once there is a TypeScript that can make it', () => {
    const project = withPackages({ typescript: 'typescript', 'reflect-metadata': 'reflect-metadata' });
    const file = project.write('flow.ts', injected.replace(/@Task\(\) b.*/, ''));
    const env = { ...process.env, BATUTA_DATABASE_URL: 'sqlite:own.db', NO_COLOR: '1' };
    const runFile = () =>
      spawnSync(process.execPath, [builtFile('cli/main.js'), 'run', file, '--json'], { cwd: project.path, env, encoding: 'utf8' });
    for (const time of ['first', 'second']) {
      const { status, stderr } = runFile();
      expect([time, status, stderr]).toEqual([time, 1, expect.stringContaining('BATUTA_NO_METADATA')]);
    }
    const link = join(project.path, 'node_modules', 'typescript');
    rmSync(link);
    symlinkSync(join(packageFolder(), 'node_modules', 'typescript59'), link);
    const { status, stdout, stderr } = runFile();
    expect([status, stderr]).toEqual([0, expect.not.stringContaining('BATUTA_NO_METADATA')]);
    expect(JSON.parse(stdout)).toMatchObject({ result: ['Repo', 'function'] });
  });
});

test('a class whose name may come from a minifier is warned of, once, unless the flow has a name of its own', async () => {
  const warnings: string[] = [];
  const note = (warning: Error): void => void warnings.push(warning.message);
  process.on('warning', note);
  const { write } = ownProject({ 'tsconfig.json': legacy });
  const text = (options: string, name: string): string =>
    `import { Flow, Task } from 'batuta';\n@Flow(${options}) export class ${name} { @Task() a() {} }\n`;
  for (const [file, options, name] of [
    ['one.ts', '', 'q'],
    ['named.ts', `{ name: 'reports' }`, 'w'],
    ['long.ts', '', 'Own'],
  ] as const)
    await loadFlowFile(write(file, text(options, name)));
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', note);
  expect(warnings).toEqual([expect.stringMatching(/^The class q gives its flow the name 'q'\./)]);
});
