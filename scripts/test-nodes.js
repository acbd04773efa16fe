/**
 * `npm run test:nodes [-- VITEST_ARGUMENTS]`: builds and tests on every Node version supported, one after another.
 *
 * Without arguments the unit and end-to-end tests are run. The versions come from the npm package `node`, nothing is
 * installed on the machine.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const versions = ['20', '22', '24'];
const root = fileURLToPath(new URL('..', import.meta.url));
const vitest = join('node_modules', 'vitest', 'vitest.mjs');
const wanted = process.argv.length > 2 ? process.argv.slice(2) : ['--project', 'unit', '--project', 'e2e'];

const outcomes = versions.map((version) => [version, runOn(version)]);
for (const [version, ok] of outcomes) console.log(`${ok ? 'ok    ' : 'FAILED'}  Node ${version}`);
process.exitCode = outcomes.every(([, ok]) => ok) ? 0 : 1;

function runOn(version) {
  console.log(`\nNode ${version}`);
  return [['--version'], [join('scripts', 'build.js'), '--js'], [vitest, 'run', ...wanted]].every((args) => startNode(version, args));
}

function startNode(version, args) {
  // The shell form of npx puts the version it fetched first on the path, for the processes that tests start as well.
  const command = ['node', ...args].map((part) => `'${part.replaceAll("'", "'\\''")}'`).join(' ');
  const { status } = spawnSync('npx', ['--yes', '--package', `node@${version}`, '--call', command], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return status === 0;
}
