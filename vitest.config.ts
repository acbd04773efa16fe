import { fileURLToPath } from 'node:url';
import { defineConfig, type TestUserConfig } from 'vitest/config';

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

/** One folder of tests. Those that start processes first make sure that `dist` is as new as `src`. */
function room(name: string, options: Pick<TestUserConfig, 'testTimeout' | 'globalSetup' | 'expect'>) {
  const include = [`test/${name}/**/*.test.ts`];
  // What takes long runs in `npm run test:packages` alone.
  const exclude = process.env['BATUTA_TEST_ALL_PACKAGES'] === undefined ? ['test/packages/long/**'] : [];
  return { extends: true as const, test: { name, include, exclude, ...options } };
}

const buildOnce = './test/support/build-once.ts';
const declareOnce = './test/support/declare-once.ts';
const postgres = './test/support/postgres-global.ts';
const packOnce = './test/support/pack-once.ts';
const redis = './test/support/redis-global.ts';

export default defineConfig({
  resolve: {
    alias: [
      { find: /^batuta$/, replacement: source('index.ts') },
      { find: /^batuta\/client$/, replacement: source('client/index.ts') },
      { find: /^batuta\/testing$/, replacement: source('testing/index.ts') },
      { find: /^batuta\/resources$/, replacement: source('kit/resources/index.ts') },
      { find: /^batuta\/streams$/, replacement: source('kit/streams/index.ts') },
      { find: /^batuta\/steps$/, replacement: source('kit/steps/index.ts') },
    ],
  },
  oxc: { decorator: { legacy: true } },
  test: {
    pool: 'forks',
    // Many wait for processes more than they compute.
    maxWorkers: '100%',
    setupFiles: ['./test/support/leaks.ts'],
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
    reporters: process.env['TEST_REPORT_FILE'] ? ['default', 'json'] : ['default'],
    ...(process.env['TEST_REPORT_FILE'] ? { outputFile: { json: process.env['TEST_REPORT_FILE'] } } : {}),
    projects: [
      room('unit', { testTimeout: 10_000 }),
      room('contract', { testTimeout: 30_000, globalSetup: [postgres, redis] }),
      room('integration', { testTimeout: 30_000, globalSetup: [buildOnce, postgres] }),
      room('e2e', { testTimeout: 60_000, globalSetup: [buildOnce, postgres, redis], expect: { poll: { timeout: 20_000 } } }),
      room('chaos', { testTimeout: 120_000, globalSetup: [buildOnce, postgres, redis] }),
      room('types', { testTimeout: 300_000, globalSetup: [declareOnce] }),
      room('packages', { testTimeout: 300_000, globalSetup: [packOnce, postgres] }),
    ],
  },
});
