/**
 * `npm run check:size [-- TARBALL]`: installs the package as npm publishes it, without install scripts, into a folder of its own, prints how
 * much that is with all it brings, and fails beyond the budget.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const budget = { megabytes: 60, packages: 120 };
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'batuta-size-'));
try {
  const [given] = process.argv.slice(2);
  const tarball = given === undefined ? pack() : resolve(given);
  writeFileSync(join(folder, 'package.json'), '{"name":"sized","private":true}');
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', tarball], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const modules = join(folder, 'node_modules');
  const { packages } = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8'));
  const bytes = readdirSync(modules, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
  const [count, megabytes] = [Object.keys(packages).length, bytes / 1024 / 1024];
  console.log(
    `npm install batuta: ${count} packages (${budget.packages} allowed), ${megabytes.toFixed(1)} MB (${budget.megabytes} allowed)`,
  );
  if (count > budget.packages || megabytes > budget.megabytes) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function pack() {
  const told = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], { cwd: root, encoding: 'utf8' });
  return join(folder, JSON.parse(told)[0].filename);
}
