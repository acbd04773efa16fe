/** Programs that use Batuta, compiled in the ways TypeScript projects are compiled. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { flowText, installApp, legacyConfig, mainText, type InstalledApp } from './installed-app.ts';

const greeted = { status: 0, output: expect.stringContaining('Hello, Ada!') as string };

let app: InstalledApp;
let commonJs: InstalledApp;
beforeAll(async () => {
  const packages = [
    'typescript@5.9',
    'typescript7@npm:typescript@7',
    'typescript54@npm:typescript@5.4',
    '@types/node@20',
    'tsx',
    '@swc/core',
    'ts-node',
  ];
  const files = { 'greeting.ts': flowText, 'client.ts': clientText };
  app = await installApp({ packages, files: { ...files, 'main.ts': mainText('./greeting.js') } });
  commonJs = await installApp({ packages, manifest: { type: 'commonjs' }, files: { ...files, 'main.ts': mainText('./greeting') } });
}, 300_000);
afterAll(() => {
  app.remove();
  commonJs.remove();
});

/** Uses each entry, and is wrong in one place. */
const clientText = `import type { Logger } from 'batuta';
import { openClient, type Run } from 'batuta/client';
import { type RunningServer, startServer } from 'batuta/process';
import { tempDir } from 'batuta/resources';
import { pipeline } from 'batuta/steps';
import { batch } from 'batuta/streams';
import { testFlow } from 'batuta/testing';
import { Greeting } from './greeting.js';

export async function use(): Promise<void> {
  const client = await openClient();
  const text: string = await (await client.submit(Greeting, { name: 'Ada' })).result();
  await testFlow(Greeting, { name: text });
  // @ts-expect-error no such parameter
  await client.enqueue(Greeting, { nam: 'Ada' });
  const runs: readonly Run[] = (await client.runs.list()).items;
  await client.close();
  console.log(runs.length, tempDir, pipeline, batch);
}

export async function serveFor(log: Logger): Promise<RunningServer> {
  log.info('starting');
  return await startServer({ authorize: (request) => (request.headers.cookie === undefined ? null : 'viewer') });
}
`;

const resolutions = [
  ['an ES module', 'nodenext', 'nodenext'],
  ['an ES module', 'node16', 'node16'],
  ['an ES module', 'esnext', 'bundler'],
  ['CommonJS', 'nodenext', 'nodenext'],
  ['CommonJS', 'node16', 'node16'],
  ['CommonJS', 'commonjs', 'node10'],
] as const;
const compilers = ['typescript', 'typescript7', 'typescript54'] as const;

test.each(
  resolutions.flatMap((row) =>
    // TypeScript 7 has no node10, and 5.4 knows no ES module that CommonJS may require; both find the types all the same.
    compilers.filter((compiler) => compiler !== 'typescript7' || row[2] !== 'node10').map((compiler) => [...row, compiler] as const),
  ),
)(
  '%s with module %s and resolution %s finds all types, those of others checked too (%s)',
  async (kind, module, moduleResolution, compiler) => {
    const project = kind === 'CommonJS' ? commonJs : app;
    project.write(
      'tsconfig.json',
      JSON.stringify({
        compilerOptions: { ...legacyConfig, skipLibCheck: false, module, moduleResolution, noEmit: true },
        include: ['*.ts'],
      }),
    );
    expect(await project.run('node', `node_modules/${compiler}/bin/tsc`, '-p', '.')).toEqual({ status: 0, output: '' });
  },
);

test.each([
  ['an ES module', 'nodenext'],
  ['CommonJS', 'commonjs'],
] as const)('%s that tsc has compiled runs', async (kind, module) => {
  const project = kind === 'CommonJS' ? commonJs : app;
  const moduleResolution = module === 'commonjs' ? 'node10' : module;
  project.write(
    'tsconfig.json',
    JSON.stringify({ compilerOptions: { ...legacyConfig, module, moduleResolution, outDir: 'out' }, include: ['main.ts'] }),
  );
  expect(await project.run('node', 'node_modules/typescript/bin/tsc', '-p', '.')).toEqual({ status: 0, output: '' });
  expect(await project.run('node', 'out/main.js')).toMatchObject(greeted);
});

test.each(['esm', 'cjs'] as const)('a program that is run by tsx runs (%s)', async (format) => {
  const project = format === 'cjs' ? commonJs : app;
  project.write('tsconfig.json', JSON.stringify({ compilerOptions: legacyConfig }));
  expect(await project.run('tsx', 'main.ts')).toMatchObject(greeted);
});

// What people add to an ES module, so that CommonJS packages inside find what they use.
const requireBanner = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
const pathBanner =
  "import path from 'node:path'; import { fileURLToPath } from 'node:url'; const __filename = fileURLToPath(import.meta.url), __dirname = path.dirname(__filename);";
const dirnameBanner =
  "import { dirname } from 'node:path'; import url from 'node:url'; const __filename = url.fileURLToPath(import.meta.url), __dirname = dirname(__filename);";

test.each([
  ['esm', requireBanner],
  ['esm', requireBanner + pathBanner],
  ['esm', requireBanner + dirnameBanner],
  ['cjs', ''],
] as const)('a program that bundles Batuta is told to keep it external, and runs when it does (%s, %s)', async (format, banner) => {
  app.write('tsconfig.json', JSON.stringify({ compilerOptions: legacyConfig }));
  const file = `bundle.${format === 'esm' ? 'mjs' : 'cjs'}`;
  const bundle = (...flags: string[]) =>
    app.run('esbuild', 'main.ts', '--bundle', '--platform=node', `--format=${format}`, `--outfile=${file}`, ...flags);
  expect(await bundle('--log-level=error', ...(banner === '' ? [] : [`--banner:js=${banner}`]))).toMatchObject({ status: 0 });
  expect(await app.run('node', file)).toMatchObject({
    status: 1,
    output: expect.stringMatching(/eep the package "batuta" external/) as string,
  });
  expect(await bundle('--external:batuta')).toMatchObject({ status: 0 });
  expect(await app.run('node', file)).toMatchObject(greeted);
});
