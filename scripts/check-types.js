/**
 * Checks types: the whole repository with the TypeScript it is built with, in legacy decorator mode, and the dashboard. What
 * users are promised, on every TypeScript and in both decorator modes, is compiled by the tests (`npx vitest run --project types`).
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');

run(tsc, '-p', 'tsconfig.json', '--noEmit');
run(tsc, '-p', 'web/tsconfig.json', '--noEmit');

function run(file, ...args) {
  const { status } = spawnSync(process.execPath, [file, ...args], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) process.exit(status ?? 1);
}
