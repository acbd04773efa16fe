import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

// Each starts a process that loads a compiler.
vi.setConfig({ testTimeout: 60_000 });

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'batuta-arrows-'));
  for (const name of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json']) copyFileSync(name, join(folder, name));
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  write('src/index.ts', 'export const nothing = 0;\n');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(join(folder, dirname(path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

function checkArrows(): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [resolve('scripts/check-arrows.js')], { cwd: folder, encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

test('sources that keep to the arrows pass', () => {
  write('src/base/a.ts', "import { pino } from 'pino';\nexport const a = pino;\n");
  write('src/model/b.ts', "import { a } from '../base/a.ts';\nexport const b = a;\n");
  expect(checkArrows()).toMatchObject({ status: 0, output: expect.stringContaining('no dependency violations') });
});

test('a forbidden import is found in every form: plain, type, lazy, and of a kept package', () => {
  write('src/base/a.ts', "import type { B } from '../model/b.ts';\nexport type A = B;\n");
  write('src/model/b.ts', 'export type B = string;\n');
  write('src/define/d.ts', 'export const d = 1;\n');
  write('src/engine/c.ts', "export const load = () => import('../define/d.ts');\n");
  write('src/cli/e.ts', "import pg from 'pg';\nexport const e = pg;\n");
  write('flows/f.ts', "import { d } from '../src/define/d.ts';\nexport const f = d;\n");
  const { status, output } = checkArrows();
  expect(status).not.toBe(0);
  for (const rule of ['room-base', 'room-engine', 'package-pg', 'flows-like-a-user']) expect(output).toContain(rule);
});

test('of the store others may know its contract and what opens it, and no file of its folders', () => {
  write('src/store/figures/contract.ts', 'export interface FigureStore { read(): void }\n');
  write('src/store/store.ts', "export type * from './figures/contract.ts';\n");
  write('src/store/open.ts', 'export const openStore = 1;\n');
  write(
    'src/client/good.ts',
    "import { openStore } from '../store/open.ts';\nexport type { FigureStore } from '../store/store.ts';\nexport { openStore };\n",
  );
  write('src/client/deep.ts', "import type { FigureStore } from '../store/figures/contract.ts';\nexport type Deep = FigureStore;\n");
  const { status, output } = checkArrows();
  expect(status).not.toBe(0);
  expect(output).toContain('store-by-contract: src/client/deep.ts');
  expect(output).not.toContain('good.ts');
});

test('a circle is found even when only types go round in it', () => {
  write('src/model/a.ts', "import type { B } from './b.ts';\nexport interface A { b: B }\n");
  write('src/model/b.ts', "import type { A } from './a.ts';\nexport interface B { a: A }\n");
  const { status, output } = checkArrows();
  expect(status).not.toBe(0);
  expect(output).toContain('no-circle');
});

test('the dashboard may take types of the contracts, the table of states and the form of what travels, and nothing else of the library', () => {
  write('src/model/state.ts', "export const stateTypes = ['RUNNING'];\n");
  write('src/client/wire.ts', 'export type Wire<T> = T;\nexport const toWire = (value: unknown) => value;\n');
  write('src/model/queue.ts', 'export const queue = 1;\n');
  write('src/client/local-client.ts', 'export interface LocalClient { close(): void }\n');
  write(
    'web/src/good.ts',
    "import type { Wire } from '../../src/client/wire.ts';\nexport { stateTypes } from '../../src/model/state.ts';\nexport type G = Wire<1>;\n",
  );
  write('web/src/code.ts', "import { queue } from '../../src/model/queue.ts';\nexport const code = queue;\n");
  write('web/src/deep.ts', "import type { LocalClient } from '../../src/client/local-client.ts';\nexport type Deep = LocalClient;\n");
  const { status, output } = checkArrows();
  expect(status).not.toBe(0);
  for (const rule of ['web-types-only: web/src/code.ts', 'web-by-the-wire: web/src/deep.ts']) expect(output).toContain(rule);
  expect(output).not.toContain('good.ts');
});

test('a worker knows no scheduler, nor a scheduler a worker; both know what both do', () => {
  write('src/upkeep/loop.ts', 'export const loop = 1;\n');
  write('scheduler/tick.ts', "import { loop } from '../src/upkeep/loop.ts';\nexport const tick = loop;\n");
  write('worker/work.ts', "export { loop } from '../src/upkeep/loop.ts';\nexport { tick } from '../scheduler/tick.ts';\n");
  const { status, output } = checkArrows();
  expect(status).not.toBe(0);
  expect(output).toContain('processes-apart: worker/work.ts');
  expect(output).not.toContain('tick.ts → src');
});
