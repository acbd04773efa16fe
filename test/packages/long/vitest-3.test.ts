/** The version of Vitest before the current one. */
import { afterEach, expect, test } from 'vitest';
import { flowText, installApp, type InstalledApp, legacyConfig } from '../installed-app.ts';

let app: InstalledApp | undefined;
afterEach(() => app?.remove());

test('Vitest 3 tests a flow, with experimentalDecorators and nothing more', async () => {
  const text = `import { test } from 'vitest';
import { testFlow } from 'batuta/testing';
import { Greeting } from './greeting.js';

test('greets', async () => {
  (await testFlow(Greeting, { name: 'Ada' })).expectState('Completed');
});
`;
  app = await installApp({
    packages: ['zod', 'vitest@3'],
    files: { 'tsconfig.json': JSON.stringify({ compilerOptions: legacyConfig }), 'greeting.ts': flowText, 'greeting.test.ts': text },
  });
  expect(await app.run('vitest', 'run')).toMatchObject({ status: 0, output: expect.stringContaining('1 passed') as string });
});
