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

test('an installation needs no script and no newer Node, and the README, followed word for word, ends with scheduled runs on the screen', async () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const blocks = [...readme.slice(readme.indexOf('\n## A flow')).matchAll(/^```(\w+)\n([^]*?)^```$/gm)];
  const blockOf = (language: string): string => blocks.find(([, it]) => it === language)?.[2] ?? '';
  const lines = blocks.filter(([, language]) => language === 'sh').flatMap(([, , text = '']) => text.trimEnd().split('\n'));
  expect(lines[0]).toBe('npm i batuta zod');
  const files = { 'tsconfig.json': blockOf('json'), 'flows/weather.ts': blockOf('ts') };
  app = await installApp({ packages: ['zod'], files, flags: ['--engine-strict'] });
  const serving = lines.findIndex((line) => line.startsWith('npx batuta dev'));
  const outputs: string[] = [];
  for (const line of lines.slice(1, serving)) {
    const { status, output } = await app.run('bash', '-c', line);
    expect([line, status, output]).toEqual([line, 0, expect.not.stringMatching(/warning|error/)]);
    outputs.push(output);
  }
  expect(outputs[0]).toContain('2 of 3 days warmer than usual');
  expect(outputs[1]).toMatch(/weather/);
  const screen = await app.runUntil(lines[serving] ?? '', /✓ weather .* Completed/, { BATUTA_PORT: '0' });
  expect(screen).toMatch(/open +http:\/\/127/);
});

test('a project that init made runs its flow and its test, and passes its type check', async () => {
  app = await installApp({ packages: ['zod', 'typescript', '@types/node'] });
  expect(await app.run('npx', 'batuta', 'init', 'made')).toMatchObject({ status: 0 });
  for (const command of ['npm test', 'npm run check', 'npm run hello -- -p name=Ada', 'npx batuta deploy --all']) {
    const { status, output } = await app.run('bash', '-c', `cd made && ${command}`);
    expect([command, status, output]).toEqual([command, 0, expect.not.stringMatching(/warning|error [A-Z]/)]);
  }
});

test('what a supervisor starts without npx ends by SIGTERM, with what it had under way handed back', async () => {
  const waiting = `import { Flow, Task, type TaskContext } from 'batuta';
@Flow() export class Waiting {
  @Task() async wait(ctx: TaskContext) { console.log('under way'); await new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason))); }
}`;
  app = await installApp({
    files: { 'flows/waiting.ts': waiting, 'tsconfig.json': '{"compilerOptions":{"experimentalDecorators":true}}' },
  });
  expect(await app.run('batuta', 'runs', 'submit', 'waiting')).toMatchObject({ status: 0 });
  // As systemd does: the process itself is signalled, none beside it.
  const script = `exec 3< <(exec node_modules/.bin/batuta worker --grace 0s 2>&1); worker=$!
    while read -r line <&3; do echo "$line"; [[ $line == *"under way"* ]] && kill -TERM $worker; done; wait $worker; echo "ended with $?"`;
  expect(await app.run('bash', '-c', script)).toMatchObject({ status: 0, output: expect.stringMatching(/ended with 0\n$/) as string });
  const { output } = await app.run('batuta', 'runs', 'ls', '--json');
  expect(JSON.parse(output)).toMatchObject([{ flow: 'waiting', state: { name: 'Resuming' } }]);
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
  // Loading it fills the registry of flows that all copies share, and `batuta/register` is imported for what it does alone.
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { keywords: string[]; sideEffects: boolean };
  expect(manifest).toMatchObject({ sideEffects: true, keywords: expect.arrayContaining(['workflow', 'typescript']) as string[] });
});
