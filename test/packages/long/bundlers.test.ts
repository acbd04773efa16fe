/** Programs that use Batuta, compiled or bundled by what else there is; each keeps the package external. */
import { afterEach, expect, test } from 'vitest';
import { flowText, installApp, type InstalledApp, legacyConfig, mainText } from '../installed-app.ts';

const greeted = { status: 0, output: expect.stringContaining('Hello, Ada!') as string };
const built = { status: 0, output: expect.any(String) as string };

let app: InstalledApp | undefined;
afterEach(() => app?.remove());

const sources = (flowFile: string) => ({ 'greeting.ts': flowText, 'main.ts': mainText(flowFile) });

test.each([
  ['es6', 'module'],
  ['commonjs', 'commonjs'],
])('SWC, to %s', async (kind, type) => {
  const jsc = {
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    target: 'es2022',
  };
  const files = { ...sources('./greeting.js'), '.swcrc': JSON.stringify({ jsc, module: { type: kind } }) };
  app = await installApp({ manifest: { type }, packages: ['zod', '@swc/cli', '@swc/core'], files });
  expect(await app.run('swc', 'main.ts', 'greeting.ts', '-d', 'out')).toMatchObject(built);
  expect(await app.run('node', 'out/main.js')).toMatchObject(greeted);
});

test('ts-node, with CommonJS', async () => {
  const compilerOptions = { ...legacyConfig, module: 'commonjs', moduleResolution: 'node10' };
  app = await installApp({
    manifest: { type: 'commonjs' },
    packages: ['zod', 'ts-node', 'typescript@5.9', '@types/node@20'],
    files: { ...sources('./greeting'), 'tsconfig.json': JSON.stringify({ compilerOptions }) },
  });
  expect(await app.run('ts-node', 'main.ts')).toMatchObject(greeted);
});

test('webpack, with Batuta as an external package', async () => {
  const config = `module.exports = {
  mode: 'production', target: 'node', entry: './main.ts', resolve: { extensions: ['.ts', '.js'] },
  module: { rules: [{ test: /\\.ts$/, use: 'ts-loader' }] },
  externals: { batuta: 'commonjs batuta' }, optimization: { minimize: false },
};`;
  app = await installApp({
    manifest: { type: 'commonjs' },
    packages: ['zod', 'webpack@5', 'webpack-cli', 'ts-loader', 'typescript@5.9', '@types/node@20'],
    files: {
      ...sources('./greeting'),
      'webpack.config.js': config,
      'tsconfig.json': JSON.stringify({ compilerOptions: { ...legacyConfig, module: 'esnext', moduleResolution: 'bundler' } }),
    },
  });
  expect(await app.run('webpack')).toMatchObject(built);
  expect(await app.run('node', 'dist/main.js')).toMatchObject(greeted);
});

test('Vite, for servers', async () => {
  const files = { ...sources('./greeting.js'), 'tsconfig.json': JSON.stringify({ compilerOptions: legacyConfig }) };
  app = await installApp({ packages: ['zod', 'vite@8'], files });
  expect(await app.run('vite', 'build', '--ssr', 'main.ts')).toMatchObject(built);
  expect(await app.run('node', 'dist/main.js')).toMatchObject(greeted);
});
