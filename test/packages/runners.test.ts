/** Test runners, set up as docs/guides/testing-flows.md says. */
import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { installApp, type InstalledApp } from './installed-app.ts';

let app: InstalledApp | undefined;
afterEach(() => app?.remove());

const guide = readFileSync(new URL('../../docs/guides/testing-flows.md', import.meta.url), 'utf8');

/** The code block of the guide whose first line is a comment with that file name. */
function fromGuide(file: string): string {
  const block = [...guide.matchAll(/```\w+\n(\/\/ (\S+)\n[^]*?)```/g)].find(([, , name]) => name === file);
  if (block?.[1] === undefined) throw new Error(`The guide shows no ${file}.`);
  return block[1];
}

function testText(imported: string): string {
  return `${imported}
import { Flow, Task } from 'batuta';
import { testFlow } from 'batuta/testing';

@Flow()
class Sum {
  @Task()
  async one(): Promise<number> {
    return 1;
  }
}

test('a flow completes', async () => {
  (await testFlow(Sum)).expectState('Completed');
});
`;
}

const legacy = '{"compilerOptions":{"experimentalDecorators":true}}';

test('Jest, with CommonJS as it comes', async () => {
  app = await installApp({
    manifest: { type: 'commonjs' },
    packages: ['jest@30', '@swc/jest', '@swc/core'],
    files: { 'jest.config.js': fromGuide('jest.config.js'), 'sum.test.ts': testText('') },
  });
  expect(await app.run('jest')).toMatchObject({ status: 0, output: expect.stringContaining('1 passed') as string });
});

test('Vitest, with experimentalDecorators', async () => {
  app = await installApp({
    packages: ['vitest@4'],
    files: { 'tsconfig.json': legacy, 'sum.test.ts': testText("import { test } from 'vitest';") },
  });
  expect(await app.run('vitest', 'run')).toMatchObject({ status: 0, output: expect.stringContaining('1 passed') as string });
});

test('Vitest, with the decorators of the standard', async () => {
  app = await installApp({
    packages: ['vitest@4'],
    files: { 'vitest.config.js': fromGuide('vitest.config.js'), 'sum.test.ts': testText("import { test } from 'vitest';") },
  });
  expect(await app.run('vitest', 'run')).toMatchObject({ status: 0, output: expect.stringContaining('1 passed') as string });
});

test('the runner of Node, through tsx', async () => {
  app = await installApp({
    packages: ['tsx'],
    files: { 'tsconfig.json': legacy, 'sum.test.ts': testText("import { test } from 'node:test';") },
  });
  expect(await app.run('node', '--import', 'tsx', '--test', 'sum.test.ts')).toMatchObject({
    status: 0,
    output: expect.stringMatching(/pass 1\b/) as string,
  });
});
