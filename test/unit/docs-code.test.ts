import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isFlowClass } from '../../src/define/definition.ts';
import type { Instantiate } from '../../src/model/flow.ts';
import { testFlow } from '../../src/testing/index.ts';
import { listDocuments, readBlocks } from '../support/documents.ts';

/** Inside the repository, so that a block finds the packages and this repository's `batuta`. */
const folder = resolve('out', `docs-${process.pid}`);

const blocks = listDocuments()
  .flatMap(readBlocks)
  .filter((block) => block.language === 'ts')
  .map((block) => ({
    ...block,
    place: `${block.document}:${block.at}`,
    path: join(folder, `${block.document.replace(/\W+/g, '-')}-${block.at}.ts`),
  }));

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  for (const block of blocks) writeFileSync(block.path, block.code);
  const compilerOptions = { noEmit: true, rewriteRelativeImportExtensions: false };
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: '../../tsconfig.json', compilerOptions, include: ['./*.ts'], exclude: [] }),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('every ts block of the documents compiles as a module of its own', () => {
  const { stdout, stderr } = spawnSync(process.execPath, [resolve('node_modules/typescript/bin/tsc'), '-p', folder, '--pretty', 'false'], {
    encoding: 'utf8',
  });
  const problems = stdout.split('\n').filter((line) => blocks.some((block) => line.includes(block.path.slice(folder.length + 1))));
  expect(problems.map((line) => nameBlock(line))).toEqual([]);
  expect(stderr).toBe('');
}, 120_000);

test.each(blocks)('what $place shows runs as it says', async (block) => {
  const { path, words } = block;
  const module = (await import(path)) as Record<string, unknown>;
  const flows = Object.values(module).filter(isFlowClass);
  const options = words.includes('container') ? { instantiate: await instantiateBefore(block) } : {};
  for (const flow of flows) {
    const run = await testFlow(flow, exampleParams(words), options);
    expect([flow.name, run.state.name, run.error?.message]).toEqual(
      words.includes('fails') ? [flow.name, 'Failed', expect.any(String)] : [flow.name, 'Completed', undefined],
    );
  }
});

/** That of the configuration in the block before it, for a block marked `ts container`. */
async function instantiateBefore(block: (typeof blocks)[number]): Promise<Instantiate> {
  const before = blocks[blocks.indexOf(block) - 1];
  const { default: config } = (await import(before?.path ?? '')) as { readonly default: { readonly instantiate: Instantiate } };
  return config.instantiate;
}

/** Parameters that a block names for its flows: `ts params={"side":3}`. */
function exampleParams(words: readonly string[]): unknown {
  const given = words.find((word) => word.startsWith('params='));
  return given === undefined ? {} : JSON.parse(given.slice('params='.length));
}

function nameBlock(line: string): string {
  const block = blocks.find(({ path }) => line.includes(path.slice(folder.length + 1)));
  return block === undefined ? line : `${block.place} ${line.slice(line.indexOf('('))}`;
}
