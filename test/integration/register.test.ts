/** TypeScript that Node.js loads by `--import batuta/register`. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageFolder } from '../../src/base/installed.ts';
import { ownProject } from '../support/flow-files.ts';

const modes = { legacy: '{"compilerOptions":{"experimentalDecorators":true}}', standard: '{}' };

function start(files: Readonly<Record<string, string>>, file = 'main.ts'): { status: number | null; stdout: string; stderr: string } {
  const { path } = ownProject(files);
  mkdirSync(join(path, 'node_modules'), { recursive: true });
  if (!existsSync(join(path, 'node_modules/batuta'))) symlinkSync(packageFolder(), join(path, 'node_modules/batuta'));
  const env = { ...process.env, BATUTA_LOG_LEVEL: 'warn' };
  return spawnSync(process.execPath, ['--import', 'batuta/register', file], { cwd: path, env, encoding: 'utf8', timeout: 60_000 });
}

const program = `
import { Flow, Task, run } from 'batuta';
import { twice, type Pair } from './twice.js';
enum Size { Small = 3 }
@Flow()
export class Main {
  @Task() async small(): Promise<Pair> { return { value: Size.Small }; }
  @Task({ needs: ['small'], isolate: 'thread' }) async large({ value }: Pair) { return twice(value); }
}
console.log('gave', await run(Main));
`;
const twice = 'export interface Pair { readonly value: number }\nexport const twice = (value: number): number => value * 2;\n';

test.each(['legacy', 'standard'] as const)('a program with %s decorators runs as it is written, threads included', (mode) => {
  const { status, stdout, stderr } = start({
    'main.ts': program,
    'twice.ts': twice,
    'tsconfig.json': modes[mode],
    'package.json': '{"type":"module"}',
  });
  expect([status, stdout, stderr]).toEqual([0, 'gave 6\n', '']);
});

test('a CommonJS program runs too', () => {
  const source = `import { Flow, Task, run } from 'batuta';
    @Flow() class Main { @Task() async one() { return typeof require; } }
    void run(Main).then((value) => console.log(value));`;
  const { status, stdout, stderr } = start({ 'main.cts': source, 'tsconfig.json': modes.legacy }, 'main.cts');
  expect([status, stdout, stderr]).toEqual([0, 'function\n', '']);
});

test('what does not compile is named with its file and line', () => {
  const { status, stderr } = start({
    'main.ts': `import { broken } from './broken.ts';\nconsole.log(broken);`,
    'broken.ts': 'export const broken = ;\n',
  });
  expect(status).toBe(1);
  expect(stderr).toContain('broken.ts:1:23');
});

test('the source map tells the lines as they are written', () => {
  const source = `interface Unused {\n  readonly a: string;\n}\nfunction fail(): never {\n  throw new Error('here');\n}\nfail();\n`;
  const { path } = ownProject({ 'main.ts': source });
  mkdirSync(join(path, 'node_modules'), { recursive: true });
  if (!existsSync(join(path, 'node_modules/batuta'))) symlinkSync(packageFolder(), join(path, 'node_modules/batuta'));
  const { stderr } = spawnSync(process.execPath, ['--enable-source-maps', '--import', 'batuta/register', 'main.ts'], {
    cwd: path,
    encoding: 'utf8',
  });
  expect(stderr).toContain('main.ts:5:9');
});

const starts = `
import { Flow, Task } from 'batuta';
import { fork } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import { once } from 'node:events';
const url = new URL('./other.ts', import.meta.url);
const loader = { execArgv: ['--import', 'batuta/register'] };
@Flow({ result: 'bare' })
export class Starts {
  @Task() async thread() { return (await once(new Worker(url, loader), 'message'))[0]; }
  @Task() async child() { return (await once(fork(url, loader), 'message'))[0]; }
  @Task({ needs: ['thread', 'child'] }) async bare(a: number, b: number) {
    console.log('gave', a, b);
    await once(new Worker(url), 'message');
  }
}
`;
const other = `import { parentPort } from 'node:worker_threads';
const value: number = 42;
if (parentPort) parentPort.postMessage(value);
else process.send?.(value);
`;

test('a thread and a process that a flow starts of a TypeScript file run with the loader; without it the log of the task says what is missing', () => {
  const { path } = ownProject({ 'starts.ts': starts, 'other.ts': other, 'package.json': '{"type":"module"}' });
  mkdirSync(join(path, 'node_modules'), { recursive: true });
  if (!existsSync(join(path, 'node_modules/batuta'))) symlinkSync(packageFolder(), join(path, 'node_modules/batuta'));
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(packageFolder(), 'dist/cli/main.js'), 'run', 'starts.ts'], {
    cwd: path,
    encoding: 'utf8',
  });
  expect(stdout + stderr).toContain('gave 42 42');
  // Where Node.js strips types by itself there is nothing to miss.
  if (status !== 0) expect(stdout + stderr).toContain("{ execArgv: ['--import', 'batuta/register'] }");
  else expect(process.features).toHaveProperty('typescript');
});
