/**
 * Checks types: the whole repository with the TypeScript it is built with, in legacy decorator mode, the dashboard, then what
 * `test/types` promises to users, in both decorator modes and on every TypeScript version supported.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
const userTypes = join(root, 'test', 'types', 'check.js');

run(tsc, '-p', 'tsconfig.json', '--noEmit');
run(tsc, '-p', 'web/tsconfig.json', '--noEmit');
if (existsSync(userTypes)) run(userTypes);

function run(file, ...args) {
  const { status } = spawnSync(process.execPath, [file, ...args], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) process.exit(status ?? 1);
}
