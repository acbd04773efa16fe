/** What `npm install batuta` brings. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { afterEach, expect, inject, test } from 'vitest';
import { flowText, installApp, type InstalledApp } from './installed-app.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

let app: InstalledApp | undefined;
afterEach(() => app?.remove());

test('publint and "are the types wrong" find nothing', async () => {
  const { messages } = await publint({ pkgDir: root, level: 'suggestion', strict: true });
  expect(messages).toEqual([]);
  const { checkPackage, createPackageFromTarballData } = await import('@arethetypeswrong/core');
  const checked = await checkPackage(createPackageFromTarballData(readFileSync(inject('tarball'))));
  expect(checked.types && checked.problems).toEqual([]);
});

test('what is installed stays within its budget', () => {
  const script = join(root, 'scripts/check-size.js');
  const told = execFileSync(process.execPath, [script, inject('tarball')], { encoding: 'utf8' });
  expect(told).toMatch(/^npm install batuta: \d+ packages \(120 allowed\), [\d.]+ MB \(60 allowed\)\n$/);
});

test('an installation needs no script and no newer Node, and runs a flow', async () => {
  app = await installApp({ files: { 'flows/greeting.ts': flowText }, flags: ['--engine-strict'] });
  const { status, output } = await app.run('batuta', 'run', 'flows/greeting.ts', '-p', 'name=Ada', '--json');
  expect([status, output]).toEqual([0, expect.stringContaining('"result": "Hello, Ada!"')]);
});

test('a binary that was not installed for this platform is named, and doctor looks at all the rest', async () => {
  app = await installApp({ files: { 'flows/greeting.ts': flowText }, flags: ['--omit=optional'] });
  const list = await app.run('batuta', 'runs', 'ls');
  expect(list).toMatchObject({
    status: 1,
    output: expect.stringMatching(/^error PACKAGE_MISSING: The package "libsql" [^\n]*--include=optional\n$/),
  });
  const doctor = await app.run('batuta', 'doctor');
  expect(doctor).toMatchObject({
    status: 1,
    output: expect.stringMatching(/✓ node .*✕ database +PACKAGE_MISSING.*✕ flows +PACKAGE_MISSING: The package "esbuild"/s),
  });
});

test('the package says what it is and holds nothing that its users do not need', () => {
  const list = execFileSync('tar', ['-tzf', inject('tarball')], { encoding: 'utf8' });
  expect(list).not.toMatch(/\.(map|ts(?<!\.d\.ts)|test\.)/);
  expect(list).toMatch(/^package\/LICENSE$/m);
  expect(list).toMatch(/^package\/dist\/THIRD_PARTY_NOTICES\.txt$/m);
});
